"""The answer that L2 and the codecs carry: 20 rows of 8 columns from PostgreSQL, about 3 KB as a pickle."""

from __future__ import annotations

from typing import Any

import asyncpg

from galvo_bench.running.stand import Stand

SAMPLE = """
    select n as id, n * 7919 as quantity, 'material ' || n as name, 'birch plywood, 3 mm, sheet ' || n as note,
        timestamptz '2026-01-01 08:00+01' + n * interval '61.234567 seconds' as made,
        timestamptz '2026-02-01 08:00+01' + n * interval '3601.000001 seconds' as seen,
        (n * 12.5)::numeric(10, 2) as price, md5(n::text)::uuid as ref
    from generate_series(1, 20) n
"""

Plain = list[tuple[Any, ...]]
"""Rows as plain tuples: the form that costs the peers least."""


async def sample(stand: Stand) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(await stand.postgres())
    try:
        return await connection.fetch(SAMPLE)
    finally:
        await connection.close()


def plain(records: list[asyncpg.Record]) -> Plain:
    return [tuple(record) for record in records]
