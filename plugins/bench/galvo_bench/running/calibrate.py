"""`galvo bench calibrate`: how often this machine's noise is taken for a difference, and 20 % for noise."""

from __future__ import annotations

import argparse
import gc
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from math import ceil

import asyncpg
import msgspec

from galvo import Kernel, Overrides
from galvo_bench.method.calibrate import tried
from galvo_bench.method.rounds import LEAST, Clock, Operation
from galvo_bench.reports.progress import Progress
from galvo_bench.reports.table import show
from galvo_bench.results.model import Section, Values
from galvo_bench.running.interruption import Interruption
from galvo_bench.running.measuring import measuring
from galvo_bench.running.options import number_from
from galvo_bench.running.stand import ROUNDS, Stand

NEEDED = 0.95
DISK = 100
"""MB at most: a private PostgreSQL."""
QUERY, HIT = "select 1", "select n from generate_series(1, 5) as n"
REPEATS = {"a query through asyncpg.Pool": 40, "a galvo L1 hit": 2_000}
"""Operations of a round: some milliseconds."""
CLOCKS: tuple[Clock, ...] = ("wall", "cpu")


def main(argv: Sequence[str]) -> int:
    """1: less than 95 of 100 are called right. Raises GalvoError: no server."""
    made = argparse.ArgumentParser(prog="galvo bench calibrate", description=__doc__)
    made.add_argument(
        "--tries", type=number_from(1), default=100, metavar="N", help="of each operation and clock (100)"
    )
    made.add_argument("--rounds", type=number_from(LEAST), default=ROUNDS, metavar="N", help=f"of a try ({ROUNDS})")
    made.add_argument("--url", default="", help="a PostgreSQL to use instead of a private one")
    made.add_argument("--json", action="store_true", help="print JSON")
    options = made.parse_args(argv)
    progress = Progress(len(REPEATS) * len(CLOCKS))
    with measuring("calibrate", DISK), closing(Stand(options.url, options.rounds, progress=progress)) as stand:
        section = Interruption().run(calibrate(stand, options.tries))
    if options.json:
        print(msgspec.json.encode(section).decode())
    else:
        show(section)
    needed = ceil(NEEDED * options.tries)
    rows = [row.values for row in section.rows if isinstance(row, Values)]
    return int(any(min(row["called the same"], row["20 % caught"]) < needed for row in rows))


async def calibrate(stand: Stand, tries: int) -> Section:
    """By operation and clock, how many of so many tries were called right."""
    rows = []
    await stand.reach()
    async with _operations(await stand.postgres()) as operations:
        gc.collect()
        gc.freeze()  # thousands of rounds collect: only what they leave
        try:
            for name, operation in operations.items():
                for clock in CLOCKS:
                    stand.progress.begin(f"{name}, {clock}")
                    rows.append(await _row(stand, f"{name}, {clock}", operation, REPEATS[name], clock, tries))
                    stand.progress.end()
        finally:
            gc.unfreeze()
    explains = f"The operation against itself, and made 1.2 times as often as is counted; {stand.rounds} rounds a try."
    return Section("calibrate", "How often a verdict is right", explains, [*rows])


async def _row(stand: Stand, name: str, operation: Operation, repeats: int, clock: Clock, tries: int) -> Values:
    itself, planted = Counter[str](), Counter[str]()
    for _ in range(tries):
        one, two = await tried(operation, repeats, stand.rounds, clock)
        itself[one] += 1
        planted[two] += 1
        stand.tick()
    return Values(name, {
        "tries": tries, "called the same": itself["same"], "unsure": itself["unsure"],
        "20 % caught": planted["slower"], "20 % unsure": planted["unsure"],
    })  # fmt: skip


@asynccontextmanager
async def _operations(url: str) -> AsyncIterator[dict[str, Operation]]:
    overrides: Overrides = {"pool": {"url": url, "min_size": 1, "max_size": 1}, "embedded": {"on": False}}
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1) as pool,
        Kernel.from_settings(overrides=overrides) as kernel,
    ):
        await kernel.fetch(HIT)
        found: list[Operation] = [lambda: pool.fetchval(QUERY), lambda: kernel.fetch(HIT)]
        yield dict(zip(REPEATS, found, strict=True))
