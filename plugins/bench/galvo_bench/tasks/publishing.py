"""What asking for a task costs who asks: how many per second, and how long the loop stands still."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from statistics import median

from galvo_bench.method.rounds import Candidate, Operation, compare
from galvo_bench.results.model import Missing, Section, Values, inverted
from galvo_bench.running.peers import attempt
from galvo_bench.running.resources import resources
from galvo_bench.running.stand import Stand
from galvo_bench.tasks.askers import OURS, PEERS, Ask, Make

LOADS = {"one after the other": (200, 1), "100 at once": (500, 100)}
"""Tasks asked for in a round, and how many ask at once."""
TICK = 0.001
"""Seconds between two looks at the loop."""
SECONDS = 0.5
"""For which it is looked at, of a candidate in a round."""


async def measure(stand: Stand) -> list[Section]:
    """A section for each load, one for the loop."""
    asks: dict[str, Ask] = {}
    missing: list[Missing] = []
    async with resources() as stack:
        for name, make in OURS.items():
            asks[name] = await make(stand, stack)
        for name, make in PEERS.items():
            made = await attempt(name, lambda make=make: _tried(make, stand, stack))  # type: ignore[misc]  # bound now
            if isinstance(made, Missing):
                missing.append(made)
            else:
                asks[name] = made
        sections = []
        for load, (number, at_once) in LOADS.items():
            candidates = [Candidate(name, crowd(ask, number, at_once), 1, number) for name, ask in asks.items()]
            rows = await compare(candidates, stand.few, "wall", stand.tick)
            title, explains = f"Asking for a task, {load}", "A task without arguments, wall time."
            sections.append(Section("publishing", title, explains, inverted([*rows, *missing]), "throughput"))
        sections.append(
            Section("publishing", "Asking for a task: the loop", LAG, [*await _lags(stand, asks), *missing])
        )
    return sections


LAG = (
    f"100 ask at once for {SECONDS:g} s, while a task of the loop wakes every {1000 * TICK:g} ms: how late it is, "
    "and CPU time of this process for each task asked for."
)


async def _tried(make: Make, stand: Stand, stack: AsyncExitStack) -> Ask:
    ask = await make(stand, stack)
    await ask()
    return ask


def crowd(ask: Ask, number: int, at_once: int) -> Operation:
    """That many tasks, by as many at once."""

    async def one() -> None:
        for _ in range(number // at_once):
            await ask()

    async def run() -> None:
        await asyncio.gather(*(one() for _ in range(at_once)))

    return run


async def _lags(stand: Stand, asks: dict[str, Ask]) -> list[Values]:
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in asks}
    for number in range(stand.few):
        turn = number % len(asks)
        everyone = [*asks.items()]
        for name, ask in everyone[turn:] + everyone[:turn]:
            found[name].append(await _lag(ask))
        stand.tick()
    return [
        Values(name, {
            "median, ms": 1e3 * median(middle for middle, _, _ in seen),
            "longest, ms": 1e3 * median(longest for _, longest, _ in seen),
            "CPU, us": 1e6 * median(cpu for _, _, cpu in seen),
        })
        for name, seen in found.items()
    ]  # fmt: skip


async def _lag(ask: Ask) -> tuple[float, float, float]:
    """How late the loop was, at the median and at most, in seconds; CPU for each task asked for."""
    late: list[float] = []
    asked = 0
    ends = time.perf_counter() + SECONDS

    async def watch() -> None:
        while (began := time.perf_counter()) < ends:
            await asyncio.sleep(TICK)
            late.append(time.perf_counter() - began - TICK)

    async def one() -> None:
        nonlocal asked
        while time.perf_counter() < ends:
            await ask()
            asked += 1
            await asyncio.sleep(0)  # what does not wait by itself would let nobody else in

    began = time.process_time()
    await asyncio.gather(watch(), *(one() for _ in range(100)))
    return median(late), max(late), (time.process_time() - began) / asked
