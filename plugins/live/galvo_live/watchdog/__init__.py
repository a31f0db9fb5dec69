"""Who blocks the event loop: seen from a thread beside it, by the stack of the loop's own."""

from galvo_live.watchdog.culprit import Site, culprit
from galvo_live.watchdog.thread import Block, Watchdog

__all__ = ["Block", "Site", "Watchdog", "culprit"]
