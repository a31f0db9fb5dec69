"""The pool keeps what every plugin promises."""

from __future__ import annotations

from typing import Any

import pytest

from galvo.testing import PluginContract
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.thorough import THOROUGH


class TestPool(PluginContract):
    plugin = PoolPlugin
    thorough = THOROUGH
    changed = {"max_size": 3}
    hostile_settings = ({"url": "postgresql://127.0.0.1:1/nobody"}, {"url": "http://x"}, {"min_size": -1})
    beside = {CachePlugin: {}}
    injected = False

    @pytest.fixture
    def settings(self, contract_dsn: str) -> dict[str, Any]:
        return {"url": contract_dsn, "min_size": 1, "max_size": 4}
