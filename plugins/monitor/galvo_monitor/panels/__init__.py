"""What is shown of each part of the system."""

from galvo_monitor.panels.build import Builder
from galvo_monitor.panels.kept import Kept
from galvo_monitor.panels.tables import tables_of

__all__ = ["Builder", "Kept", "tables_of"]
