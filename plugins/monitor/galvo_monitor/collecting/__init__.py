"""The loop: read what was recorded, keep it, judge it, show it."""

from galvo_monitor.collecting.collection import Collection

__all__ = ["Collection"]
