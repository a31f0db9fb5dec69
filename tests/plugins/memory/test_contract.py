"""The memory plugin keeps what every plugin promises."""

from __future__ import annotations

from galvo.testing import PluginContract
from galvo_memory import MemoryPlugin
from tests.thorough import THOROUGH


class TestMemory(PluginContract):
    plugin = MemoryPlugin
    thorough = THOROUGH
    settings = {"answer": False}
    changed = {"interval": 0.5}
    hostile_settings = ({"limit": "1 MiB"}, {"interval": -1})
