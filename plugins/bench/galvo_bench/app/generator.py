"""`python -m galvo_bench.app.generator`: the load, in a process of its own.

The first line on stdin is the world; each further one is a run, answered by a line:

    {"port": 1, "connections": 256, "seed": 1, "open": {"rate": 100, "seconds": 5, "warm": 1}}
    {"port": 1, "connections": 16, "seed": 1, "closed": {"seconds": 5}, "only": "project"}

"begun" is said when a run's warm-up is over.
"""

from __future__ import annotations

import asyncio
from time import process_time
from typing import Any

import msgspec

from galvo_bench.app.mix import Mix, World
from galvo_bench.load.alarm import alarm
from galvo_bench.load.lines import commands, say
from galvo_bench.load.loops import closed, opened
from galvo_bench.load.wire import connected


async def main() -> None:
    async with commands() as asked:
        world = msgspec.convert(await anext(asked), World)
        say({"ready": True})
        async for command in asked:
            say(await run(world, command))


async def run(world: World, command: dict[str, Any]) -> dict[str, Any]:
    seed = command["seed"]
    mix = Mix(world, seed, command.get("only", ""), tuple(command.get("drop", ())))
    mix.know(command.get("revisions", {}))
    async with connected(command["port"], command["connections"]) as free:
        await asyncio.sleep(0.1)  # until the server has them
        began = process_time()
        if "open" in command:
            with alarm() as clock:
                outcome = await opened(
                    free, mix.next, mix.learn, clock, seed=seed, between=lambda: say({"begun": True}), **command["open"]
                )
        else:
            outcome = await closed(free, mix.next, mix.learn, **command["closed"])
    return outcome.told() | {"cpu_seconds": process_time() - began, "revisions": mix.revisions}


if __name__ == "__main__":
    asyncio.run(main())
