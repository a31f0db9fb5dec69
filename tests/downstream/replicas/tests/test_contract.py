"""It behaves as every plugin must: galvo's own proof, here with a real database."""

from typing import Any

import pytest
from galvo import Plugin
from galvo.testing import PluginContract
from galvo_pool import PoolPlugin

from galvo_replicas import ReplicasPlugin


class TestContract(PluginContract):
    plugin = ReplicasPlugin
    changed = {"every": 1}

    @pytest.fixture
    def settings(self, dsn: str) -> dict[str, Any]:
        return {"url": dsn}

    @pytest.fixture
    def beside(self, dsn: str) -> dict[type[Plugin], Any]:
        return {PoolPlugin: {"url": dsn}}
