"""What was measured, kept for three months in fixed-size rings."""

from galvo_monitor.store.past import Past
from galvo_monitor.store.store import Store

__all__ = ["Past", "Store"]
