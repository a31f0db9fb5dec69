"""What is wrong with tables, indexes, sessions and settings, whatever the workload."""

from galvo_index.health.examine import examine
from galvo_index.health.limits import Limits
from galvo_index.health.report import Report, Unknown
from galvo_index.health.rules import RULES

__all__ = ["RULES", "Limits", "Report", "Unknown", "examine"]
