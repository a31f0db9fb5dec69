"""The embedded servers' plugin keeps what every plugin promises; a pool and a cache beside it use its servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from galvo.testing import PluginContract
from galvo_embedded import EmbeddedPlugin
from tests.thorough import THOROUGH


class TestEmbedded(PluginContract):
    plugin = EmbeddedPlugin
    thorough = THOROUGH
    changed = {"options": {"fsync": "off", "jit": "off"}}
    hostile_settings = ({"postgres": 17}, {"options": "fsync"})

    @pytest.fixture
    def settings(self, seed: Path) -> dict[str, Any]:
        return {"data": str(seed), "options": {"fsync": "off"}}
