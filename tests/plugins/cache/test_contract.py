"""The cache keeps what every plugin promises: by itself, and as one of several processes that share their answers."""

from __future__ import annotations

from typing import Any

import pytest

from galvo.testing import PluginContract
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.thorough import THOROUGH


class TestCache(PluginContract):
    plugin = CachePlugin
    thorough = THOROUGH
    changed = {"ttl": 3}
    hostile_settings = ({"ttl": -1}, {"max_bytes": "many"})

    @pytest.fixture
    def beside(self, contract_dsn: str) -> dict[Any, Any]:
        return {PoolPlugin: {"url": contract_dsn, "min_size": 1, "max_size": 4}}
