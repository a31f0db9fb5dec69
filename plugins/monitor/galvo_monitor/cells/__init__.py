"""What is recorded: cells for what has been told, and snapshots of them."""

from galvo_monitor.cells.buckets import Buckets
from galvo_monitor.cells.merging import merged
from galvo_monitor.cells.registry import REFUSED, Registry
from galvo_monitor.cells.snapshot import Snapshot

__all__ = ["REFUSED", "Buckets", "Registry", "Snapshot", "merged"]
