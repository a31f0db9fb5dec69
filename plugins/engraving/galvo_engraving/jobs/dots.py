"""Dots that have been made, in the database: a worker makes them, and every process of the application shows them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from galvo_engraving.database import Queries

ABOUT = "select width, height, burned, made_at from engraving.dots where key = $1"
WHOLE = "select width, height, burned, made_at, png from engraving.dots where key = $1"
KEEP = """
insert into engraving.dots (key, digest, width, height, burned, png, made_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (key) do update set width = excluded.width, height = excluded.height, burned = excluded.burned,
    png = excluded.png, made_at = excluded.made_at"""
SWEEP = """
delete from engraving.dots d
where d.made_at < $1 or not exists (select from engraving.image i where i.digest = d.digest)"""
FORGET = """
delete from engraving.dots d
where d.digest = $1 and not exists (select from engraving.image i where i.digest = $1)"""
SWEEP_EACH = 600.0
"""Seconds between two sweeps by one process; each makes the cache forget all dots."""
_swept = [time.monotonic()]


async def find(db: Queries, key: str, ttl: float, *, whole: bool = False) -> Any:
    """The row, without png unless `whole`; None: there is none, or it is older than `ttl` seconds."""
    # Its age is told here: a statement with now() in it could not be answered from the cache.
    row = await db.fetchrow(WHOLE if whole else ABOUT, key)
    return row if row is not None and row["made_at"] > _oldest(ttl) else None


async def keep(db: Queries, key: str, digest: str, made: Mapping[str, Any], ttl: float) -> None:
    """`made` is what `engraved` gives. Now and then, what is too old or has no picture any more goes."""
    sizes = (made["width"], made["height"], made["burned"])
    await db.execute(KEEP, key, digest, *sizes, made["png"], datetime.now(UTC))
    if time.monotonic() - _swept[0] > SWEEP_EACH:
        _swept[0] = time.monotonic()
        await db.execute(SWEEP, _oldest(ttl))


async def forget(db: Queries, *digests: str) -> None:
    """Those of contents that nobody has any more."""
    await db.executemany(FORGET, [(digest,) for digest in digests])


def _oldest(ttl: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=ttl)
