"""What a cache answers, and what is left for the database: both counted on the wire, for the same seeded requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg
import msgspec

from galvo import Kernel
from galvo_bench.claims import shops
from galvo_bench.claims.asking import Asking
from galvo_bench.claims.claim import Found
from galvo_bench.counts.proxy import Counts, counted
from galvo_bench.method.interval import interval
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand, must
from galvo_engraving import workload
from galvo_engraving.world import Database, World

CLIENTS = 8
REQUESTS = 250
"""Of each client in a round."""
WARM = 3_000
"""Of each client before: a cache has to have seen what people look at."""
CONNECTIONS = 10
NEAR = 0.02
"""What the cache says of itself may differ so much from what is seen on the wire: it asks the database things too."""

_counted: WeakKeyDictionary[Stand, list[Round]] = WeakKeyDictionary()
"""Both claims are about the same requests."""


class Round(msgspec.Struct, frozen=True):
    reads: int
    """That the application asked for."""
    plain: int
    """Queries on the wire without galvo; resets of connections are none."""
    galvo: int
    """With it, its own included."""
    hits: float
    """As the cache counts them."""

    @property
    def hit_ratio(self) -> float:
        """Reads that did not reach the database, of all: those that may not be cached are misses."""
        return (self.plain - self.galvo) / self.reads

    @property
    def load(self) -> float:
        return self.galvo / self.plain


async def hits(stand: Stand) -> Found:
    """Reads that the cache answered, in per cent of all reads."""
    rounds = await _rounds(stand)
    found = [100 * one.hit_ratio for one in rounds]
    told = 100 * sum(one.hits for one in rounds) / sum(one.reads for one in rounds)
    must(abs(told - median(found)) <= 100 * NEAR, f"the cache says {told:.1f} % hits, the wire {median(found):.1f} %")
    low, high = interval(found)
    explains = (
        "The shop's requests, 3 % of which write: reads that did not reach the database, of all reads, counted on the "
        f"wire. Reads that may not be cached are misses. The cache itself counts {told:.1f} %."
    )
    return Found(galvo=median(found), middle=median(found), low=low, high=high, explains=explains, rounds=len(rounds))


async def load(stand: Stand) -> Found:
    """Queries that reach PostgreSQL for the same requests."""
    rounds = await _rounds(stand)
    found = [one.load for one in rounds]
    low, high = interval(found)
    requests = REQUESTS * CLIENTS * len(rounds)
    plain, galvo = sum(one.plain for one in rounds), sum(one.galvo for one in rounds)
    explains = (
        f"Queries on the wire for a request: {requests:,} requests of the shop's clients, 3 % of which write, after "
        f"{WARM * CLIENTS:,} that fill the cache. Plain is asyncpg.Pool, for the same seeded requests. Resets of its "
        "connections are not counted."
    )
    return Found(
        plain=plain / requests,
        galvo=galvo / requests,
        middle=median(found),
        low=low,
        high=high,
        explains=explains,
        rounds=len(rounds),
        sections=[_rows(rounds)],
    )


async def _rounds(stand: Stand) -> list[Round]:
    if stand not in _counted:
        _counted[stand] = await counted_rounds(stand)
    return _counted[stand]


async def counted_rounds(stand: Stand) -> list[Round]:
    """Rounds of requests, the same for both; no other client writes to their databases."""
    plain_counts, galvo_counts = Counts(), Counts()
    async with (
        shops.copies(await stand.postgres(), ("plain", "galvo")) as (world, urls),
        counted(urls["plain"], plain_counts) as plain_url,
        counted(urls["galvo"], galvo_counts) as galvo_url,
        asyncpg.create_pool(plain_url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool,
        _galvo(galvo_url, await stand.redis_of("claims")) as kernel,
    ):
        await _ask(kernel, world, seed=0, requests=WARM)
        found = []
        for number in range(1, stand.rounds + 1):
            plain_counts.clear()
            galvo_counts.clear()
            before = kernel.plugin_stats("cache")["hits"]
            reads = await _ask(pool, world, seed=number, requests=REQUESTS)
            same = await _ask(kernel, world, seed=number, requests=REQUESTS)
            must(reads == same, f"the same requests made {reads} reads, then {same}")
            told = kernel.plugin_stats("cache")["hits"] - before
            found.append(Round(reads, plain_counts["queries"], galvo_counts["queries"], told))
            stand.tick()
        return found


@asynccontextmanager
async def _galvo(url: str, redis: str) -> AsyncIterator[Kernel]:
    overrides: dict[str, dict[str, Any]] = {
        "embedded": {"on": False},
        "pool": {"url": url, "min_size": CONNECTIONS, "max_size": CONNECTIONS},
        "cache": {"redis": redis},
    }
    async with Kernel.from_settings(overrides=overrides) as kernel:
        off = [plugin["name"] for plugin in kernel.plugins() if plugin["state"] == "failed"]
        must(not off, f"not all plugins run: {', '.join(off)}")
        yield kernel


async def _ask(db: Database, world: World, *, seed: int, requests: int) -> int:
    """How many reads that was."""
    asking = Asking(db)
    outcome = await workload.run(asking, world, clients=CLIENTS, seed=seed, requests=requests)
    must(outcome.errors == 0, outcome.first_error)
    must(outcome.stale == 0, f"{outcome.stale} answers were stale")
    return asking.reads


def _rows(rounds: list[Round]) -> Section:
    reads, plain, galvo = (sum(getattr(one, name) for one in rounds) for name in ("reads", "plain", "galvo"))
    rows = [
        Values("without", {"reads": reads, "queries on the wire": plain}),
        Values("with galvo", {"reads": reads, "queries on the wire": galvo}),
    ]
    return Section(
        "shop",
        "Queries for the same requests",
        "All rounds together. Clients race, and plugins ask by the clock: another run counts a few more or less.",
        [*rows],
    )
