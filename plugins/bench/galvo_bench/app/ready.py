"""All lanes' applications as they are when they have run for a while."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from galvo_bench.app import lanes, shop
from galvo_bench.app.lanes import LANES, App, Load
from galvo_bench.app.mix import SHARED
from galvo_bench.running.stand import Stand, must

BEFORE = {"plain": 300, "full": 8_000}
"""Requests that are not counted, by lane: a cache has to have seen what people look at."""
OWN = {"plain": 0, "full": 20_000}
"""Then so many of what customers have of their own, writes too: as much of it as four times as many of the mix ask."""


@asynccontextmanager
async def databases(stand: Stand) -> AsyncIterator[tuple[Load, dict[str, str]]]:
    """A load, and by lane a copy of the shop's database."""
    url, names = await stand.postgres(), [lane.name for lane in LANES]
    async with shop.copies(url, names) as (world, urls), lanes.load(world) as load:
        yield load, urls


@asynccontextmanager
async def running(stand: Stand, load: Load, urls: Mapping[str, str], seconds: float) -> AsyncIterator[dict[str, App]]:
    """Each filled for no longer than twice `seconds`."""
    async with lanes.apps(stand, urls) as apps:
        for one in apps.values():
            await fill(load, one, seconds)
            stand.tick()
        yield apps


@asynccontextmanager
async def ready(stand: Stand, seconds: float) -> AsyncIterator[tuple[Load, dict[str, App]]]:
    """Both."""
    async with databases(stand) as (load, urls), running(stand, load, urls, seconds) as apps:
        yield load, apps


async def fill(load: Load, one: App, seconds: float = 0) -> None:
    """Past what a start does once, and until a cache keeps about what it always will.

    No longer than twice `seconds`; 0: as long as it takes. Raises GalvoError.
    """
    kind = one.lane.kind
    turns = [await load.closed(one, 8, 301, requests=BEFORE[kind], seconds=seconds)]
    if OWN[kind]:
        turns.append(await load.closed(one, 8, 302, drop=SHARED, requests=OWN[kind], seconds=seconds))
    for turn in turns:
        must(turn.errors == 0, f"{turn.done} of {turn.due} were answered: {turn.first_error}")
