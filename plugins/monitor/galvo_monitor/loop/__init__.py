"""How late the event loop is, and how long the garbage collector stops it."""

from galvo_monitor.loop.lag import LAG, Lag
from galvo_monitor.loop.pauses import PAUSE, Pauses

__all__ = ["LAG", "PAUSE", "Lag", "Pauses"]
