"""What was measured of the shop, as rows and pictures."""

from __future__ import annotations

from collections.abc import Mapping

from galvo_bench.app import lanes, plots
from galvo_bench.app.lanes import FULL, LANES, PLAIN, Turn
from galvo_bench.app.pairs import Turns, compared, cpu, elapsed
from galvo_bench.app.ready import BEFORE, OWN
from galvo_bench.app.steps import STEP, Climb
from galvo_bench.counts.proxy import Counts
from galvo_bench.results.model import Point, Section, Values, inverted


def held(climbs: Mapping[str, Climb]) -> Section:
    explains = (
        f"Step load, {STEP:g} times more each step: the highest rate at which the 99th percentile is under a second "
        "and nothing is shed. Open loop, latencies from when a request was due."
    )
    plain = climbs[PLAIN.name].held
    rows = [
        Values(lane.title, {"requests a second": climbs[lane.name].held, "times": climbs[lane.name].held / plain})
        for lane in LANES
    ]
    return Section("shop", "The shop: what it holds", explains, [*rows], plots=plots.offered(climbs))


def at_rate(rate: float, turns: Mapping[str, Turn]) -> Section:
    rows = []
    for lane in LANES:
        turn = turns[lane.name]
        rows.append(Values(lane.title, {
            "p50 ms": turn.latencies.quantile(0.5),
            "p99 ms": turn.latencies.quantile(0.99),
            "p99.9 ms": turn.latencies.quantile(0.999),
            "shed %": 100 * turn.shed / max(1, turn.due),
            "lost": turn.missing,
            "CPU ms": 1e3 * cpu(turn),
        }))  # fmt: skip
    behind = max(turn.late.quantile(0.99) for turn in turns.values())
    cost = max(turn.generator_cpu / max(1, turn.due) for turn in turns.values()) * 1e3
    explains = (
        f"Open loop at {rate:,.0f} requests a second, {turns[PLAIN.name].due:,} of each, latencies from when they "
        f"were due, {lanes.IN_FLIGHT} in flight at most, no errors. The generator sent 99 % within "
        f"{behind:.1f} ms and took {cost:.2f} ms of CPU "
        "for each."
    )
    return Section("shop", "The shop at one rate", explains, [*rows], plots=[plots.distribution(turns)])


def pages(clients: int, turns: Turns) -> list[Section]:
    asked = f"{clients} clients who ask for nothing but project pages (six tables), one after the other"
    speed, cost = compared(turns, elapsed), compared(turns, cpu)
    return [
        Section("shop", "The project page", f"{asked}.", inverted([*speed]), "throughput"),
        Section("shop", "The project page's CPU", f"{asked}: that of the application's processes.", [*cost]),
    ]


def memory(peaks: Mapping[str, float], looks: Mapping[str, list[Point]]) -> Section:
    explains = "RSS of each application's processes: at most, and after all of the load above."
    rows = [Values(lane.title, {"peak MiB": peaks[lane.name], "at the end MiB": looks[lane.name][-1][1]})
            for lane in LANES]  # fmt: skip
    return Section("shop", "The shop's memory", explains, [*rows], plots=[plots.memory(looks)])


def queries(asked: int, found: Mapping[str, Counts]) -> Section:
    rows = []
    for lane in (PLAIN, FULL):
        counts, plain = found[lane.name], found[PLAIN.name]
        rows.append(Values(lane.title, {
            "queries": counts["queries"] / asked,
            "resets": counts["resets"] / asked,
            "round trips": counts["trips"] / asked,
            "queries less, %": 100 * (1 - counts["queries"] / plain["queries"]),
        }))  # fmt: skip
    explains = (
        f"What PostgreSQL is asked for a request, counted on the wire: {asked:,} requests of the mix, after "
        f"{BEFORE[FULL.kind]:,} and {OWN[FULL.kind]:,} of customers' own that fill the cache. A write asks what it "
        "always asks. Resets are a pool's own, and no queries here."
    )
    return Section("shop", "The shop's queries", explains, [*rows])
