"""The conformance kit: a test class of a few lines proves that a plugin keeps the kernel's promises.

>>> class TestMine(PluginContract):
...     plugin = MyPlugin

It needs pytest, which the kernel itself does not.
"""

from galvo.testing.contract import PluginContract

__all__ = ["PluginContract"]
