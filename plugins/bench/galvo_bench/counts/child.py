"""`python -m galvo_bench.counts.child`: counts, alone in its process. It is told what by a line, and says it by one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import msgspec

from galvo import GalvoError
from galvo_bench.counts import pins
from galvo_bench.counts.galvanised import Busy, root
from galvo_bench.load.lines import commands, say
from galvo_bench.results.model import Section

Measure = Callable[[str, str, Path], Awaitable[list[Section]]]
"""Given a PostgreSQL, a Redis, and where the settings of kernels are."""

TRIES = 3
"""Times that a busy machine is asked."""


async def counted(module: str, postgres: str, redis: str, plugin: str) -> list[Section]:
    """What a module of this room counts. Raises GalvoError."""
    measure: Measure = import_module(f"galvo_bench.counts.{module}").measure
    for _ in range(TRIES - 1):
        with suppress(Busy):
            return await _once(measure, postgres, redis, plugin)
    return await _once(measure, postgres, redis, plugin)


async def _once(measure: Measure, postgres: str, redis: str, plugin: str) -> list[Section]:
    pins.number()
    with root(plugin) as folder:
        return await measure(postgres, redis, folder)


async def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    pins.pin()
    async with commands() as asked:
        async for one in asked:
            try:
                found = await counted(one["module"], one["postgres"], one["redis"], one["plugin"])
            except GalvoError as error:
                say({"error": str(error)})
                return
            say({"sections": msgspec.to_builtins(found)})


if __name__ == "__main__":
    asyncio.run(main())
