"""Concurrent users: from one to 256, each of whom asks again as soon as answered."""

from __future__ import annotations

from collections.abc import Mapping

from galvo_bench.app.lanes import AGAIN, FULL, LANES, PLAIN, Turn, added, turns
from galvo_bench.app.pairs import Figure, Turns, compared, elapsed
from galvo_bench.app.plots import crowds
from galvo_bench.app.ready import ready
from galvo_bench.results.model import Point, Section, Values, inverted
from galvo_bench.running.stand import Stand, must

CLIENTS = (1, 16, 64, 256)
SECONDS = 0.6
"""Of a turn; in six rounds and more."""
FILLING = 4.0
"""Seconds that a cache is filled, at most, and again as many for what customers have of their own."""
DROPPED = ("preview",)
"""Drawings: of too many at once the shop sends some away (503), which is its own doing, galvo or not."""
QUANTILES = {"p50": 0.5, "p99": 0.99}
SHORT = {PLAIN: "off", AGAIN: "again", FULL: "on"}


async def measure(stand: Stand) -> list[Section]:
    """Requests a second and latencies of the shop's mix, with 1 to 256 clients at once (closed loop)."""
    found: dict[int, dict[str, list[Turn]]] = {clients: {lane.name: [] for lane in LANES} for clients in CLIENTS}
    async with ready(stand, FILLING) as (load, apps):
        for number in range(stand.few):
            for clients, own in found.items():
                for lane in turns(number):
                    seed = 1_000 * (number + 1) + clients  # nothing is asked again in the same order
                    turn = await load.closed(apps[lane.name], clients, seed, drop=DROPPED, seconds=SECONDS)
                    must(turn.errors == 0, turn.first_error)
                    own[lane.name].append(turn)
            stand.tick()
    return [*(_speed(clients, own) for clients, own in found.items()), _latencies(found)]


def _speed(clients: int, found: Turns) -> Section:
    explains = f"Closed loop, the mix without live drawings, turns of {SECONDS:g} s: requests a second of all clients."
    title = f"The shop with {clients:,} client{'s'[: clients - 1]} at once"
    return Section("users", title, explains, inverted([*compared(found, elapsed)]), "throughput")


def _latencies(found: Mapping[int, Turns]) -> Section:
    together = {clients: {name: added(own) for name, own in by_lane.items()} for clients, by_lane in found.items()}
    rows = [
        Values(
            f"{clients:,}",
            {
                f"{short} {head}": by_lane[lane.name].latencies.quantile(q)
                for head, q in QUANTILES.items()
                for lane, short in SHORT.items()
            },
        )
        for clients, by_lane in together.items()
    ]
    explains = "By the number of clients, ms: everything off, off again (A/A), everything on."
    plots = [
        crowds(
            "Throughput with so many clients",
            "answered (requests/s)",
            _lines(together, lambda turn: turn.done / turn.seconds),
        ),
        crowds(
            "99th percentile with so many clients",
            "latency (ms)",
            _lines(together, lambda turn: turn.latencies.quantile(0.99)),
        ),
    ]
    return Section("users", "Latencies with so many clients at once", explains, [*rows], plots=plots)


def _lines(found: Mapping[int, Mapping[str, Turn]], figure: Figure) -> dict[str, list[Point]]:
    return {lane.name: [(clients, figure(own[lane.name])) for clients, own in found.items()] for lane in LANES}
