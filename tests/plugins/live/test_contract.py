"""The live plugin keeps what every plugin promises."""

from __future__ import annotations

from galvo.testing import PluginContract
from galvo_live import LivePlugin


class TestLive(PluginContract):
    plugin = LivePlugin
    settings = {"sighup": False}
    changed = {"watch": 0.5}
    hostile_settings = ({"watch": -1}, {"watch": 0.001}, {"answer": "perhaps"})
