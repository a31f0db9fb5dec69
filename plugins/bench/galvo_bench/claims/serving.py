"""The shop's two claims: its applications start and their caches fill once for both."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from galvo_bench.app.ready import ready
from galvo_bench.claims.claim import Found
from galvo_bench.claims.overall import asked
from galvo_bench.claims.responding import offered
from galvo_bench.running.stand import Stand

FILLING = 8.0
"""Seconds that a cache is filled, at most, and again as many for what customers have of their own."""
_measured: WeakKeyDictionary[Stand, tuple[Found, Found]] = WeakKeyDictionary()


async def responding(stand: Stand) -> Found:
    return (await _both(stand))[0]


async def overall(stand: Stand) -> Found:
    return (await _both(stand))[1]


async def _both(stand: Stand) -> tuple[Found, Found]:
    if stand not in _measured:
        async with ready(stand, FILLING) as (load, apps):
            speed = await asked(stand, load, apps)  # first: it goes on to fill the cache
            _measured[stand] = (await offered(stand, load, apps), speed)
    return _measured[stand]
