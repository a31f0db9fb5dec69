"""The monitor keeps what every plugin promises."""

from __future__ import annotations

from typing import Any

import pytest

from galvo.testing import PluginContract
from galvo_monitor import MonitorPlugin
from galvo_pool import PoolPlugin
from tests.thorough import THOROUGH


class TestMonitor(PluginContract):
    plugin = MonitorPlugin
    thorough = THOROUGH
    settings = {"answer": False, "state": ""}
    changed = {"interval": 0.5}
    hostile_settings = ({"interval": -1},)

    @pytest.fixture
    def beside(self, contract_dsn: str) -> dict[Any, Any]:
        return {PoolPlugin: {"url": contract_dsn, "min_size": 1, "max_size": 4}}
