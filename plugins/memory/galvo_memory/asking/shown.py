"""A look at a process, for people: 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from galvo_memory.asking.look import Look
from galvo_memory.asking.state import State
from galvo_memory.signals import Bound
from galvo_memory.sizes import show

WIDTH = 80
LABEL = 10
SPARKS = 40
BARS = "▁▂▃▄▅▆▇█"


def shown(look: Look) -> Iterator[str]:
    process, state = look.process, look.state
    yield from fact("process", f"{process.pid}, up {duration(process.seconds)}: {process.command[:200]}")
    level = look.level + (f" for {duration(state.since)}" if state else " (by the default thresholds)")
    yield from fact("level", level)
    parts = f"{show(process.anonymous)} allocated, {show(process.files)} files, {show(process.shared)} shared"
    swapped = f", {show(process.swapped)} swapped out" if process.swapped else ""
    yield from fact("RSS", f"{show(look.rss)}, {show(process.peak)} at most; {parts}{swapped}")
    for name, bound in zip(("limit", "fullest"), look.bounds, strict=False):
        yield from fact(name, _bound(bound))
    yield from fact("waiting", f"{look.waiting:.1f} % of the last 10 s somebody waited for memory")
    if state is None:
        yield ""
        yield from textwrap.wrap(f"{look.why}. So the trend is seen with --watch only.", WIDTH)
    else:
        yield from _told(state)
    for problem in look.problems:
        yield from fact("note", problem)


def _told(state: State) -> Iterator[str]:
    yield from fact("trend", trend(state.trend))
    yield from fact("verdict", _verdict(state))
    for line in state.lines:
        yield from textwrap.wrap(line, WIDTH, initial_indent=" " * LABEL + "- ", subsequent_indent=" " * LABEL + "  ")
    yield ""
    yield f"{'who holds what':24} {'bytes':>10}"
    for holder in state.holders:
        yield clipped(f"{holder.what[:24]:24} {show(holder.bytes):>10}  {holder.text}")
    if state.relieved:
        yield ""
        yield f"{'freed':>10} {'ago':>8}  by"
        for one in reversed(state.relieved):
            yield clipped(f"{show(one.bytes):>10} {duration(one.ago):>8}  {one.level}: {one.what or 'nobody had any'}")


def _bound(bound: Bound) -> str:
    if not bound.limit:
        return "not known"
    return f"{show(bound.limit)}, {bound.share:.0%} of it used ({show(bound.used)}): {bound.name}"


def _verdict(state: State) -> str:
    leak = state.leak
    if leak is None:
        return "not known yet"
    if leak.kind == "none":
        return f"no leak: {leak.evidence}" if leak.evidence else "no leak"
    slope = f"{show(leak.slope_bytes_per_hour)} an hour, {leak.confidence:.0%} sure"
    return f"leak ({leak.kind}), {slope}: {leak.evidence}"


def trend(lows: Sequence[tuple[float, int]]) -> str:
    """From the least of each minute."""
    if len(lows) < 2:
        return "not known yet: it takes some minutes"
    oldest, values = lows[0][0], [rss for _, rss in lows]
    change = values[-1] - values[0]
    bars = sparks(values)
    return f"{'+' if change >= 0 else '-'}{show(abs(change))} in {duration(oldest)}  {bars}"


def sparks(values: Sequence[int]) -> str:
    """At most SPARKS bars, each the least of its part of `values`."""
    count = min(SPARKS, len(values))
    parts = [values[index * len(values) // count : (index + 1) * len(values) // count] for index in range(count)]
    lows = [min(part) for part in parts]
    least, span = min(lows), max(lows) - min(lows)
    return "".join(BARS[(low - least) * (len(BARS) - 1) // span if span else 0] for low in lows)


def fact(name: str, text: str) -> list[str]:
    """Under a label, wrapped."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"{name:{LABEL}}", subsequent_indent=" " * LABEL, break_on_hyphens=False
    ) or [name]


def clipped(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."


def duration(seconds: float) -> str:
    """In the unit that suits it."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
