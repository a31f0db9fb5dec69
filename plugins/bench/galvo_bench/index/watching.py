"""What it costs to watch each query: the same kernel with `[index] mode = "off"`, and as it comes."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from galvo import Kernel, Overrides, Plugin, Proceed, Query, Rows, hookimpl
from galvo_bench.kernel.hot_path import SCHEMA, UNCACHED
from galvo_bench.method.rounds import Candidate, compare
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand
from galvo_index import IndexPlugin


class Instant(Plugin):
    """Answers at once what would reach the database, so that microseconds can be told apart."""

    name = "instant"

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return ANSWER


ANSWER = Rows(({"id": 7},))


async def measure(stand: Stand) -> list[Section]:
    """CPU of a query that reaches the server, and of the watch by itself."""
    async with _kernels(stand) as (off, on):
        lineup = [
            Candidate("galvo fetch, index off", lambda: off.fetch(UNCACHED, random.randint(1, 1000)), 400),  # noqa: S311
            Candidate("galvo fetch, watched", lambda: on.fetch(UNCACHED, random.randint(1, 1000)), 400),  # noqa: S311
        ]
        title_through = "Watching: a row from PostgreSQL, CPU time of this process"
        explains_through = "What the index plugin adds to a query that reaches the server."
        through = await compare(lineup, stand.rounds, "cpu", stand.tick)
    off_alone, on_alone = Kernel.of({Instant: {}}), Kernel.of({IndexPlugin: {}, Instant: {}})
    async with off_alone, on_alone:
        lineup = [
            Candidate("answered at once", lambda: off_alone.fetch(UNCACHED, 7), 4000),
            Candidate("the same, watched", lambda: on_alone.fetch(UNCACHED, 7), 4000),
        ]
        title = "Watching by itself, CPU time of this process"
        explains = "The difference is what the layer and its counting cost a query."
        alone = await compare(lineup, stand.rounds, "cpu", stand.tick)
    added = (alone[1].ratio - 1) * alone[0].seconds
    share = Values("a query", {"us": added * 1e6, "% of its CPU": 100 * added / through[0].seconds})
    return [
        Section("watching", title_through, explains_through, [*through]),
        Section("watching", title, explains, [*alone]),
        Section("watching", "What the watch adds", "The second table's difference, in the first one's time.", [share]),
    ]


@asynccontextmanager
async def _kernels(stand: Stand) -> AsyncIterator[tuple[Kernel, Kernel]]:
    url = await stand.postgres()
    async with AsyncExitStack() as stack:
        kernels = []
        for mode in ("off", "active"):
            overrides: Overrides = {
                "pool": {"url": url, "min_size": 4, "max_size": 4},
                "embedded": {"on": False},
                "index": {"mode": mode},
            }
            kernels.append(await stack.enter_async_context(Kernel.from_settings(overrides=overrides)))
        await kernels[0].execute(SCHEMA)
        try:
            yield kernels[0], kernels[1]
        finally:
            await kernels[0].execute("drop table bench_material")
