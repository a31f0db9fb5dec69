from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from galvo import Kernel, Metric, Plugin, PluginError, hookimpl
from galvo_embedded import EmbeddedPlugin
from galvo_tasks import Priority, TasksPlugin
from tests.plugins.cache.coherence.own_redis import OwnRedis

pytestmark = pytest.mark.anyio
NUMBERS = itertools.count()


class Heard(Plugin):
    """What the monitor would hear."""

    name = "heard"
    values: dict[tuple[str, ...], float]
    more: anyio.Event

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.values[metric.name, *(text for _, text in metric.attributes)] = value
        self.more.set()


@pytest.fixture
def heard() -> type[Heard]:
    Heard.values, Heard.more = {}, anyio.Event()
    return Heard


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Writes the application's module, whose settings come from the folder it is imported in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "settings").mkdir()
    name = f"its_shop_{next(NUMBERS)}"  # Celery remembers tasks by name for as long as the process lives

    def write(broker: str) -> dict[str, str]:
        (tmp_path / "settings" / "galvo.toml").write_text(f'[tasks]\nbroker = "{broker}"\n')
        (tmp_path / f"{name}.py").write_text(
            "from galvo_tasks import celery_app\napp = celery_app('shop')\n"
            "@app.task(name='engrave')\ndef engrave(number): ...\n"
        )
        return {"broker": broker, "app": f"{name}:app"}

    yield write
    sys.modules.pop(name, None)


async def test_a_host_tells_how_much_waits_although_no_worker_runs(
    own_redis: OwnRedis, heard: type[Heard], shop: Any
) -> None:
    with anyio.fail_after(20):
        async with Kernel.of({TasksPlugin: shop(own_redis.url), heard: {}}) as kernel:
            app = kernel.find_capability("tasks").app
            await app.tasks["engrave"].submit((7,), priority=Priority.BULK)
        heard.values.clear()
        async with Kernel.of({TasksPlugin: shop(own_redis.url), heard: {}}):
            while ("galvo.tasks.dead",) not in heard.values:
                heard.more = anyio.Event()
                await heard.more.wait()
    assert heard.values["galvo.tasks.depth", "bulk", "quick"] == 1
    assert heard.values["galvo.tasks.dead",] == 0


async def test_the_embedded_redis_is_the_broker(folder: Path, shop: Any) -> None:
    classes: dict[type[Plugin], dict[str, Any]] = {EmbeddedPlugin: {"data": str(folder)}, TasksPlugin: shop("embedded")}
    async with Kernel.of(classes) as kernel:
        job = await kernel.find_capability("tasks").app.tasks["engrave"].submit((7,))
        assert job.id


async def test_without_an_application_nothing_is_done(own_redis: OwnRedis) -> None:
    async with Kernel.of({TasksPlugin: {"broker": own_redis.url}}) as kernel:
        assert kernel.find_capability("tasks").app is None


@pytest.mark.parametrize(
    "path, sentence",
    [
        ("nowhere:app", "cannot be imported"),
        ("json:nothing", "cannot be imported"),
        ("json:dumps", "not a Celery application"),
    ],
)
async def test_an_application_that_is_none_is_named(own_redis: OwnRedis, shop: Any, path: str, sentence: str) -> None:
    settings = {**shop(own_redis.url), "app": path, "required": True}
    with pytest.raises(PluginError, match=sentence):
        async with Kernel.of({TasksPlugin: settings}):
            pass
