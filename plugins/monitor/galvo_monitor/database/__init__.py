"""A sample of the server, over a connection of its own."""

from galvo_monitor.database.database import Database
from galvo_monitor.database.sample import Blocked, Sample

__all__ = ["Blocked", "Database", "Sample"]
