"""The shop's pictures: the tail of its latencies, what it answers of what is asked, its memory."""

from __future__ import annotations

from collections.abc import Mapping

from galvo_bench.app.lanes import LANES, Turn
from galvo_bench.app.steps import Climb
from galvo_bench.results.model import Plot, Point
from galvo_engraving.histogram import Histogram

PER_DECADE = 12
"""Points of a distribution's line, for each further nine."""
MOST = 200
"""Points of a line over time."""


def titled(lines: Mapping[str, list[Point]]) -> dict[str, list[Point]]:
    """By lanes' titles instead of their names."""
    return {lane.title: lines[lane.name] for lane in LANES if lines.get(lane.name)}


def distribution(turns: Mapping[str, Turn]) -> Plot:
    lines = {name: tail(turn.latencies) for name, turn in turns.items()}
    return Plot("Latencies of what was answered", "percentile", "latency (ms)", titled(lines), log_x=True, log_y=True)


def tail(latencies: Histogram) -> list[Point]:
    """(1 / (1 - q), ms): every factor of ten is a further nine, as far as there are so many values."""
    found: list[Point] = []
    step = 0
    while (x := 10 ** (step / PER_DECADE)) <= latencies.count:
        found.append((x, latencies.quantile(1 - 1 / x)))
        step += 1
    return found


def offered(climbs: Mapping[str, Climb]) -> list[Plot]:
    answered: dict[str, list[Point]] = {
        name: [(step.rate, step.answered) for step in climb.steps] for name, climb in climbs.items()
    }
    late: dict[str, list[Point]] = {
        name: [(step.rate, step.p99) for step in climb.steps if step.p99] for name, climb in climbs.items()
    }
    x = "offered (requests/s)"
    return [
        Plot("Throughput against rate", x, "answered (requests/s)", titled(answered), log_x=True, log_y=True),
        Plot("99th percentile against rate", x, "latency (ms)", titled(late), log_x=True, log_y=True),
    ]


def memory(looks: Mapping[str, list[Point]]) -> Plot:
    thin = {name: points[:: len(points) // MOST + 1] for name, points in looks.items()}
    return Plot("Memory of the application's processes", "time (s)", "RSS (MiB)", titled(thin))


def crowds(title: str, y: str, lines: Mapping[str, list[Point]]) -> Plot:
    return Plot(title, "clients at once", y, titled(lines), log_x=True, log_y=True)
