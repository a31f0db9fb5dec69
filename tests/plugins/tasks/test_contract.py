"""The tasks plugin keeps what every plugin promises: publishing, on a Redis of its own as its broker."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from galvo.testing import PluginContract
from galvo_tasks import TasksPlugin
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.thorough import THOROUGH

NAME = "contract_shop"


class TestTasks(PluginContract):
    plugin = TasksPlugin
    thorough = THOROUGH
    changed = {"outbox": False}
    hostile_settings = ({"app": "nowhere:app"}, {"app": "json:dumps"})

    @pytest.fixture(scope="module")
    def shop(self, module_redis: OwnRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
        """An application's module, made once: Celery remembers tasks by name for as long as the process lives."""
        folder: Path = tmp_path_factory.mktemp("contract")
        (folder / "settings").mkdir()
        (folder / "settings" / "galvo.toml").write_text(f'[tasks]\nbroker = "{module_redis.url}"\n')
        (folder / f"{NAME}.py").write_text(
            "from galvo_tasks import celery_app\napp = celery_app('shop')\n"
            "@app.task(name='contract.engrave')\ndef engrave(number): ...\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.syspath_prepend(folder)
            yield {"broker": module_redis.url, "app": f"{NAME}:app"}
        sys.modules.pop(NAME, None)

    @pytest.fixture
    def settings(self, shop: dict[str, Any]) -> dict[str, Any]:
        return shop
