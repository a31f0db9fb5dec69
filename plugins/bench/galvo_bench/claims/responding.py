"""Response times: what 99 of 100 wait at most, at a rate that the same application without galvo does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from galvo_bench.app import plots
from galvo_bench.app.lanes import FULL, PLAIN, App, Load, Turn, added
from galvo_bench.claims.claim import Found
from galvo_bench.load.loops import PATIENCE
from galvo_bench.method.interval import interval
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand, must

CLIENTS = 16
OVER = 1.4
"""Of what plain answers so many clients at most (closed loop)."""
PROMISED = 1.0
"""Seconds: a rate at which plain keeps it, too, is easier than it is said to be."""
WARM, SECONDS = 1.0, 2.0
"""Of a turn: dropped, and counted."""


async def offered(stand: Stand, load: Load, apps: Mapping[str, App]) -> Found:
    """Open loop; plain has every other round alone, for it is slow to end."""
    own: list[Turn] = []
    base: list[Turn] = []
    rate = OVER * await _most(load, apps[PLAIN.name])
    stand.tick()
    for number in range(stand.rounds):
        own.append(await load.open(apps[FULL.name], rate, SECONDS, WARM, 600 + number))
        if number % 2 == 0:
            base.append(await load.open(apps[PLAIN.name], rate, SECONDS, WARM, 600 + number))
        stand.tick()
    for turn in (*own, *base):
        must(turn.errors == 0, turn.first_error)
        must(turn.due > 0, f"nothing was asked at {rate:.1f} requests a second")
    late = [p99(turn) for turn in own]
    low, high = interval(late)
    explains = (
        f"99th percentile of the engraving shop at {rate:,.0f} requests a second (open loop, from when one was due), "
        f"{OVER:g} times what plain answers {CLIENTS} clients. Who is sent away or not answered counts as "
        f"{PATIENCE:g} s."
    )
    typical = median(p99(turn) for turn in base)
    if easy := typical < PROMISED:
        explains += " Plain answers in time as well: the rate was too low to show anything."
    lanes = {PLAIN.name: added(base), FULL.name: added(own)}
    return Found(
        galvo=median(late),
        plain=typical,
        middle=median(late),
        low=low,
        high=high,
        explains=explains,
        rounds=len(late),
        most="not shown" if easy else "beyond",
        sections=[_section(rate, lanes)],
    )


async def _most(load: Load, plain: App) -> float:
    """Requests a second."""
    turn = await load.closed(plain, CLIENTS, 599, seconds=2 * SECONDS)
    must(turn.errors == 0, turn.first_error)
    return turn.done / turn.seconds


def p99(turn: Turn) -> float:
    """Seconds; of all that were due, answered or not."""
    share = 0.99 * turn.due / max(1, turn.done)
    return min(PATIENCE, turn.latencies.quantile(share) / 1e3) if share <= 1 else PATIENCE


def _section(rate: float, lanes: dict[str, Turn]) -> Section:
    rows = [
        Values(lane.title, {
            "p50 ms": lanes[lane.name].latencies.quantile(0.5),
            "p99 ms": 1e3 * p99(lanes[lane.name]),
            "shed %": 100 * lanes[lane.name].shed / max(1, lanes[lane.name].due),
            "lost": lanes[lane.name].missing,
        })
        for lane in (PLAIN, FULL)
    ]  # fmt: skip
    explains = f"{rate:,.0f} requests a second; all rounds together."
    return Section("responding", "The shop at one rate", explains, [*rows], plots=[plots.distribution(lanes)])
