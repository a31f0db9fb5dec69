"""Kernels with all of our plugins, from nothing but what is written here; and when they are quiet."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from galvo import GalvoError, Kernel
from galvo_bench.counts import pins
from galvo_bench.running.stand import must

PLUGINS = {
    "cache": "galvo_cache:CachePlugin",
    "embedded": "galvo_embedded:EmbeddedPlugin",
    "pool": "galvo_pool:PoolPlugin",
    "index": "galvo_index:IndexPlugin",
    "memory": "galvo_memory:MemoryPlugin",
    "monitor": "galvo_monitor:MonitorPlugin",
    "tasks": "galvo_tasks:TasksPlugin",
}
"""Outermost first, as in entrypoints.toml."""
LOOK = 0.001


class Busy(GalvoError):
    """This machine was too busy to count."""


@contextmanager
def root(extra: str = "") -> Iterator[Path]:
    """A folder to make kernels from: no settings, our plugins, and `extra` ("name=module:class") as the outermost."""
    listed = [extra.split("=", 1)] if extra else []
    listed += map(list, PLUGINS.items())
    with tempfile.TemporaryDirectory(prefix="galvo-counts-") as folder:
        text = "".join(f'[[plugin]]\nname = "{name}"\ntarget = "{target}"\n' for name, target in listed)
        (Path(folder) / "entrypoints.toml").write_text(text, "utf-8")
        yield Path(folder)


@asynccontextmanager
async def kernel(root: Path, postgres: str, redis: str = "", namespace: str = "") -> AsyncIterator[Kernel]:
    """A running one that may keep answers, and has read the catalog."""
    async with Kernel.from_settings(root, overrides=pins.settings(postgres, redis, namespace)) as made:
        await ready(made)
        yield made


async def ready(kernel: Kernel) -> None:
    """All run, the cache knows the catalog, and has its stamp in Redis if it shares answers. Raises GalvoError."""
    failed = {one["name"]: one["reason"] for one in kernel.plugins() if one["state"] == "failed"}
    must(not failed, f"not all plugins run: {failed}")
    cache = kernel.find_capability("cache")
    if cache is not None and cache._sharing.on:
        while not kernel.plugin_stats("cache").get("shares"):  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(LOOK)
        shelf = cache._reading.second._shelf
        while shelf.epoch is None:  # an answer that PostgreSQL gives sooner than Redis has the stamp is not kept
            await shelf.get(b"")
            await asyncio.sleep(LOOK)
    await kernel.fetchval("select count(*) from pg_catalog.pg_language")
    await quiet(kernel)


async def quiet(kernel: Kernel) -> None:
    """What the cache writes to Redis in the background is there."""
    while True:
        stats = kernel.plugin_stats("cache")
        if not (stats.get("l2_queued_bytes") or stats.get("releases_due") or stats.get("pending_remote")):
            return
        await asyncio.sleep(LOOK)


def undisturbed(kernel: Kernel) -> None:
    """Raises Busy when something took so long that galvo went on without it."""
    stats = kernel.plugin_stats("cache")
    late = [name for name in ("doubts", "lapses", "l2_timeouts", "l2_errors", "unannounced") if stats.get(name)]
    if late:
        raise Busy(f"this machine is too busy to count: {', '.join(late)}")
