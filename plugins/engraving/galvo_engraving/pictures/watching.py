"""Where a raster is: its dots, or whoever makes them, tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from galvo_engraving.jobs import dots
from galvo_engraving.jobs.wanted import Wanted
from galvo_engraving.pictures.bench import Bench
from galvo_engraving.pictures.models import Raster
from galvo_engraving.pictures.told import ENDED, LOST, Told
from galvo_engraving.shop import Shop

GONE = "its dots are not kept any longer: ask for it again"
PATIENCE = 300.0
"""Seconds for which one that this process knows nothing of may be another one's: tasks were just switched off."""
LOOK = 1.0
"""Seconds between two looks at such a one."""


async def look(shop: Shop, bench: Bench, row: Any) -> Raster:
    """Raises Away."""
    found = await dots.find(shop.db, key_of(row), shop.settings.image_ttl)
    if found is not None:
        return _done(row, found)
    told = await bench.maker(shop, row["id"]).look(row["id"])
    return await _seen(shop, row, told or _unknown(shop, row))


async def follow(shop: Shop, bench: Bench, row: Any) -> AsyncGenerator[Raster, None]:
    """Where it is now, then each change, until it has ended. Raises Away."""
    last = await look(shop, bench, row)
    yield last
    if last.state in ENDED:
        return
    async with aclosing(bench.maker(shop, row["id"]).changes(row["id"])) as changes:
        async for told in changes:
            seen = await _seen(shop, row, told)
            if seen != last:
                yield seen
            last = seen
    while last.state not in ENDED:
        seen = await look(shop, bench, row)
        if seen != last:
            yield seen
        last = seen
        if last.state not in ENDED:
            await asyncio.sleep(LOOK)


def key_of(row: Any) -> str:
    """Under which its dots are kept."""
    return Wanted.of(row).key(row["digest"])


async def surely(shop: Shop, row: Any, *, whole: bool = False) -> Any:
    """Its dots from the database itself: whoever made them may be no part of what keeps the cache true."""
    async with shop.db.transaction() as tx:
        return await dots.find(tx, key_of(row), shop.settings.image_ttl, whole=whole)


def _unknown(shop: Shop, row: Any) -> Told:
    age = (datetime.now(UTC) - row["created_at"]).total_seconds()
    return Told("waiting") if shop.jobs is None and age < PATIENCE else Told("failed", problem=LOST)


async def _seen(shop: Shop, row: Any, told: Told) -> Raster:
    if told.state == "done":
        found = await surely(shop, row)
        return _done(row, found) if found is not None else Raster.of(row, state="failed", problem=GONE)
    known = {"done": told.done, "total": told.total} if told.total else {}
    return Raster.of(row, state=told.state, problem=told.problem, **known)


def _done(row: Any, found: Any) -> Raster:
    told = {"burned": found["burned"], "done": found["height"], "total": found["height"]}
    return Raster.of(row, state="done", cached=found["made_at"] < row["created_at"], **told)
