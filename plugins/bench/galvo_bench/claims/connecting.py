"""Connection overhead: what it costs to take a pool's connection and give it back."""

from __future__ import annotations

import asyncpg

from galvo_bench.claims.claim import Found, compared
from galvo_bench.method.rounds import Candidate
from galvo_bench.pool.connections import BASELINE, SIZE, take_from
from galvo_bench.running.peers import Lineup
from galvo_bench.running.stand import Stand
from galvo_pool import create_pool

OURS = "galvo's create_pool"
REPEATS = 400


async def measure(stand: Stand) -> Found:
    """Wall time of acquire and release, nothing in between."""
    url = await stand.postgres()
    async with (
        asyncpg.create_pool(url, min_size=SIZE, max_size=SIZE) as stock,
        create_pool(url, min_size=SIZE, max_size=SIZE) as ours,
    ):
        lineup = Lineup(
            Candidate(BASELINE, take_from(stock), REPEATS), Candidate(OURS, take_from(ours), REPEATS)
        )  # fmt: skip
        rows = await lineup.compare(stand, "wall")
    explains = f"A connection of {SIZE} taken and given back, nothing in between, wall time; plain is asyncpg.Pool."
    return compared(rows, BASELINE, OURS, explains)
