"""It behaves as every plugin must: galvo's own proof."""

from typing import Any

import pytest
from galvo.testing import PluginContract

from galvo_replicas import ReplicasPlugin


class TestContract(PluginContract):
    plugin = ReplicasPlugin
    changed = {"every": 1}

    @pytest.fixture
    def settings(self, dsn: str) -> dict[str, Any]:
        return {"url": dsn}
