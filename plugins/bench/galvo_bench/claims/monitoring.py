"""Monitoring every 30 seconds: what it takes of a core while an application asks 1,000 queries a second."""

from __future__ import annotations

from contextlib import AsyncExitStack
from statistics import median
from time import process_time
from typing import Any

from galvo import Kernel
from galvo_bench.claims.claim import Found
from galvo_bench.method.rounds import Candidate, Operation, Result
from galvo_bench.monitor.monitoring import DEFAULT, RATE
from galvo_bench.results.model import Section, Values
from galvo_bench.running.peers import Lineup
from galvo_bench.running.stand import Stand, must
from galvo_monitor import MonitorPlugin
from galvo_pool import PoolPlugin

PLAIN, OURS = "no monitor", "the monitor"
REPEATS = 400
COLLECTIONS = 20
OWN = 1
"""The plugin itself, as an application has it."""


async def measure(stand: Stand) -> Found:
    """CPU of a query with and without the plugin, in turns, and of the collections that are due meanwhile."""
    url = await stand.postgres()
    pool: Any = {PoolPlugin: {"url": url, "min_size": 1, "max_size": 1}}
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(Kernel.of(pool))
        ours = await stack.enter_async_context(Kernel.of({**pool, MonitorPlugin: {}}))
        states = [one["state"] for one in ours.plugins()]
        must(states == ["active", "active"], f"not all plugins run: {states}")
        lineup = Lineup(Candidate(PLAIN, _asks(plain), REPEATS), Candidate(OURS, _asks(ours), REPEATS))
        rows = await lineup.compare(stand, "cpu", 2 * stand.rounds)
        collection = await _collection(ours)
