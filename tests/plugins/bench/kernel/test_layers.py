"""What is timed is what its name says: so many layers, so many sinks, a hit that asks nobody."""

from __future__ import annotations

from typing import Any

import pluggy
import pytest

from galvo import Kernel, Rows
from galvo_bench.kernel import layers, micro, stack

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("count", [0, 1, 3, 6])
async def test_a_query_passes_each_layer(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = []

    async def seen(self: layers.Layer, query: Any, proceed: Any) -> Rows:
        passed.append(self.name)
        return await original(self, query, proceed)

    original = layers.Layer.on_query
    monkeypatch.setattr(layers.Layer, "on_query", layers.hookimpl(seen))
    async with micro.AWAITED[f"onion-{count}"]() as ask:
        assert (await ask()).records == (layers.VALUES[7],)
    assert passed == [f"layer{number}" for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_a_metric_reaches_each_sink(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []

    def tell(self: layers.Sink, metric: Any, value: float) -> None:
        told.append((self.name, value))

    monkeypatch.setattr(layers.Sink, "on_metric", layers.hookimpl(tell))
    async with micro.PLAIN[f"sinks-{count}"]() as record:
        record()
    assert told == [(f"sink{number}", 0.001) for number in range(count)]


@pytest.mark.parametrize("count", [1, 3, 6])
async def test_pluggy_is_called_as_often(count: int) -> None:
    async with micro.PLAIN[f"wrappers-{count}"]() as call:
        assert call() == layers.VALUES[7]
        caller: pluggy.HookCaller = call.func
        assert len(caller.get_hookimpls()) == count + 1


async def test_everything_can_be_called() -> None:
    """Twice: pyperf does it more often."""
    for name in set(micro.PLAIN) - set(micro.STACK):
        async with micro.PLAIN[name]() as call:
            call(), call()
    for name in set(micro.AWAITED) - set(micro.STACK):
        async with micro.AWAITED[name]() as ask:
            await ask()
            await ask()


@pytest.mark.parametrize("name, hits", [("hit", 1), ("cached", 1), ("uncached", 0)])
async def test_a_hit_is_a_hit(name: str, hits: int, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALVO_POOL__URL", dsn)
    async with micro.AWAITED[name]() as ask:
        kernel: Kernel = ask.func.__self__
        await ask()
        before = kernel.plugin_stats("cache")["hits"]
        for _ in range(3):
            await ask()
        assert kernel.plugin_stats("cache")["hits"] - before == 3 * hits


async def test_a_record_reaches_the_monitor(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALVO_POOL__URL", dsn)
    async with stack.record() as record:
        kernel: Kernel = record.func.__self__
        assert [info["mode"] for info in kernel.plugins() if "on_metric" in info["hooks"]] == ["active"]
        record()
