"""Connection overhead: what it costs to take a pool's connection and give it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import msgspec

from galvo import Kernel
from galvo_bench.claims.claim import Found, compared
from galvo_bench.method.rounds import Candidate
from galvo_bench.pool.connections import BASELINE, SIZE, psycopg, take_from
from galvo_bench.results.model import Section
from galvo_bench.running.peers import Lineup
from galvo_bench.running.stand import Stand
from galvo_pool import create_pool

OURS = "galvo's create_pool"
REPEATS = 300
QUERY = "select 1, random()"


async def measure(stand: Stand) -> Found:
    """Wall time of acquire and release, nothing in between."""
    url = await stand.postgres()
    kernel = Kernel.from_settings(overrides={"embedded": {"on": False}})
    async with AsyncExitStack() as stack:
        stock = await stack.enter_async_context(asyncpg.create_pool(url, min_size=SIZE, max_size=SIZE))
        ours = await stack.enter_async_context(create_pool(url, kernel=kernel, min_size=SIZE, max_size=SIZE))

        async def peer() -> Candidate:
            return Candidate("psycopg_pool", (await psycopg(url, stack)).take, REPEATS)

        lineup = Lineup(Candidate(BASELINE, take_from(stock), REPEATS), Candidate(OURS, take_from(ours), REPEATS))
        await lineup.peer("psycopg_pool", peer)
        taken = await lineup.compare(stand, "wall")
        lineup = Lineup(Candidate(BASELINE, _asking(stock), REPEATS), Candidate(OURS, _asking(ours), REPEATS))
        asked = await lineup.compare(stand, "wall", stand.few)
    title = "Taking a connection and giving it back, wall time"
    explains = f"One of {SIZE}. asyncpg resets each connection; galvo does when a statement may need it."
    between = compared(asked, BASELINE, OURS, "")
    found = compared(
        taken,
        BASELINE,
        OURS,
        f"A connection taken and given back, nothing in between, wall time. Plain is {BASELINE}, which resets each one "
        "by a round trip; galvo resets one when a statement may have left something behind. With a query in between: "
        f"{between.middle:.2f} ({between.low:.2f} to {between.high:.2f}) of plain's time.",
    )
    return msgspec.structs.replace(
        found,
        sections=[
            Section("connecting", title, explains, [*taken]),
            Section("connecting", "The same with a query in between", "A query that no cache may keep.", [*asked]),
        ],
    )


def _asking(pool: Any) -> Callable[[], Awaitable[None]]:
    async def ask() -> None:
        async with pool.acquire() as connection:
            await connection.fetch(QUERY)

    return ask
