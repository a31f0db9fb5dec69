"""Query execution through indexes: the shop's project pages, without secondary indexes and with those galvo advises."""

from __future__ import annotations

import msgspec

from galvo_bench.claims.claim import Found, compared
from galvo_bench.index import advised
from galvo_bench.index.shop import ADVISED, WITHOUT
from galvo_bench.method.rounds import LEAST
from galvo_bench.running.stand import Stand


async def measure(stand: Stand) -> Found:
    """CPU of the server for a page; all requests, writes too, are beside."""
    enough = (2 * LEAST - 1) / stand.rounds if stand.rounds >= LEAST and stand.few < LEAST else 1.0
    with stand.scaled(enough):
        found = await advised.compared(stand)
    pages, everything = found.rows["project pages"], found.rows["all requests"]
    whole = next(row for row in everything if row.name == ADVISED)
    explains = (
        f"{found.clock} for a project page of the shop, four statements. Plain is its schema without secondary "
        f"indexes; galvo's are the {len(found.advice)} that it advises. All requests, writes too: {whole.ratio:.2f} of "
        "plain's."
    )
    return msgspec.structs.replace(compared([*pages], WITHOUT, ADVISED, explains), sections=found.sections("indexes"))
