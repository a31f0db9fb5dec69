"""`python -m galvo_bench.cache.herd`: a process whose tasks all read one key at once.

The first line on stdin is the source; then, each answered by a line:

    {"open": "cashews"}           one of `through.WAYS`, in place of the one before; {"missing": why} if there is none
    {"read": 7, "tasks": 50}      {"seconds": 0.1, "answers": [...]}, the different answers
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from time import perf_counter
from typing import Any

import msgspec

from galvo_bench.cache.through import WAYS, Source, Through, quiet
from galvo_bench.load.lines import commands, say
from galvo_bench.results.model import Missing
from galvo_bench.running.peers import attempt

WARM = range(0, -30, -1)
"""Keys that are read first, until what other processes keep is used as well: connections are there then, and what the
statement costs has been measured.
"""


async def main() -> None:
    with quiet():
        async with commands() as asked:
            source = msgspec.convert(await anext(asked), Source)
            async with AsyncExitStack() as last:
                stack = await last.enter_async_context(AsyncExitStack())
                way: Through | None = None
                async for command in asked:
                    if "read" in command and way is not None:
                        say(await _read(way, command["read"], command["tasks"]))
                        continue
                    await stack.aclose()
                    stack = await last.enter_async_context(AsyncExitStack())
                    made = await attempt(command["open"], partial(_opened, command["open"], source, stack))
                    way = None if isinstance(made, Missing) else made
                    say({"missing": made.missing} if isinstance(made, Missing) else {"ready": True})


async def _opened(name: str, source: Source, stack: AsyncExitStack) -> Through:
    way = await WAYS[name](source, stack)
    for key in WARM:
        await way.read(key)
        if way.shares():
            break
    return way


async def _read(way: Through, key: int, tasks: int) -> dict[str, Any]:
    began = perf_counter()
    answers = await asyncio.gather(*(way.read(key) for _ in range(tasks)))
    seconds = perf_counter() - began
    different = {msgspec.json.encode(answer) for answer in answers}
    return {"seconds": seconds, "answers": [msgspec.json.decode(answer) for answer in different]}


if __name__ == "__main__":
    asyncio.run(main())
