"""The loop: gather, read what was recorded, keep it, judge it, show it."""

from galvo_monitor.collecting.collection import Collection
from galvo_monitor.collecting.gathers import Gathers
from galvo_monitor.collecting.judging import Judging
from galvo_monitor.collecting.schedule import Schedule
from galvo_monitor.collecting.sharing import sharing

__all__ = ["Collection", "Gathers", "Judging", "Schedule", "sharing"]
