"""The conformance kit: a test class of a few lines proves that a plugin keeps the kernel's promises.

>>> class TestMine(PluginContract):
...     plugin = MyPlugin

It needs pytest, which the kernel itself does not.
"""

from galvo.testing.contract import PluginContract
from galvo.testing.database import Database, DatabaseError
from galvo.testing.stage import Running, Stage

__all__ = ["Database", "DatabaseError", "PluginContract", "Running", "Stage"]
