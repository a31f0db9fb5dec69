"""The kernel's chain of plugins by pyperf: a layer more, a sink more, a hit; and pluggy's own way to each."""

from __future__ import annotations

from galvo_bench.kernel.turns import Turns
from galvo_bench.method.rounds import AGAIN, Result, compare
from galvo_bench.results.model import Plot, Section
from galvo_bench.running.stand import Stand

LAYERS = {
    "async def, dict item": "plain",
    "galvo, a computed value": "onion-0",
    "galvo, 1 layer": "onion-1",
    "galvo, 3 layers": "onion-3",
    "galvo, 6 layers": "onion-6",
    "pluggy, 1 wrapper": "wrappers-1",
    "pluggy, 3 wrappers": "wrappers-3",
    "pluggy, 6 wrappers": "wrappers-6",
    "asyncio.gather of 3": "gather-3",
    "task group of 3": "group-3",
}
SINKS = {
    "a function": "function",
    "galvo record, no sink": "sinks-0",
    "galvo record, 1 sink": "sinks-1",
    "galvo record, 3 sinks": "sinks-3",
    "galvo record, the monitor": "record",
    "pluggy, 1 sink": "listeners-1",
    "pluggy, 3 sinks": "listeners-3",
}
ANSWERS = {
    "async def, dict item": "plain",
    "galvo fetch, L1 hit": "hit",
    "galvo cached(), L1 hit": "cached",
    "galvo fetch, uncached": "uncached",
}
EACH = "Wall time by pyperf; each turn is a process of its own."


async def measure(stand: Stand) -> list[Section]:
    """Layers round a query, sinks of a metric, L1 hits: by pyperf, against pluggy's own calls."""
    layers = await _compared(stand, LAYERS)
    sinks = await _compared(stand, SINKS)
    answers = await _compared(stand, ANSWERS)
    return [
        Section("chain", "A query through layers that only pass it on", f"{PASSED} {EACH}", [*layers],
                plots=[Plot("A call through layers", "layers", "microseconds", _lines(layers))]),
        Section("chain", "A metric to sinks that do nothing, and to the monitor", EACH, [*sinks]),
        Section("chain", "An answer from the whole default stack", EACH, [*answers]),
    ]  # fmt: skip


PASSED = "pluggy's wrappers are synchronous generators; gather and task group await nothing."


async def _compared(stand: Stand, names: dict[str, str]) -> list[Result]:
    url = {"GALVO_POOL__URL": await stand.postgres()}
    turns = [Turns(name, environment=url).candidate(title) for title, name in names.items()]
    return await compare(turns, stand.rounds, "wall", stand.tick)


def _lines(rows: list[Result]) -> dict[str, list[tuple[float, float]]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        kind, _, count = row.name.partition(", ")
        number = count.partition(" ")[0]
        if row.name != AGAIN and number.isdigit():
            lines.setdefault(kind, []).append((float(number), 1e6 * row.seconds))
    return lines
