"""A look at a process, for people: 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from galvo.sizes import show
from galvo_memory.asking.look import Look
from galvo_memory.asking.state import State
from galvo_memory.signals import Bound

WIDTH = 80
LABEL = 10
SPARKS = 40
BARS = "▁▂▃▄▅▆▇█"


def shown(look: Look) -> Iterator[str]:
    process, state = look.process, look.state
    yield from fact("process", f"{process.pid}, up {duration(process.seconds)}: {process.command[:200]}")
    level = look.level + (f" for {duration(state.since)}" if state else " (by the default thresholds)")
    yield from fact("level", level)
    parts = {
        "allocated": process.anonymous, "of files": process.files, "shared": process.shared,
        "swapped out": process.swapped,
    }  # fmt: skip
    told = ", ".join(f"{show(size)} {what}" for what, size in parts.items() if size)
    yield from fact("RSS", f"{show(look.rss)}, {show(max(look.rss, process.peak))} at most: {told}")
    for name, bound in zip(("limit", "fullest"), look.bounds, strict=False):
        yield from fact(name, _bound(bound))
    yield from fact("waiting", f"{look.waiting:.1f} % of the last 10 s somebody waited for memory")
    yield from fact("trend", trend(look.trend))
    if state is None:
        yield ""
        yield from textwrap.wrap(f"{look.why}.", WIDTH)
    else:
        yield from _told(state)
    for problem in look.problems:
        yield from fact("note", problem)


def _told(state: State) -> Iterator[str]:
    yield from fact("verdict", _verdict(state))
    for sentence in state.found:
        yield from textwrap.wrap(
            sentence, WIDTH, initial_indent=" " * LABEL + "- ", subsequent_indent=" " * LABEL + "  "
        )
    yield from fact("gc", state.collector)
    yield ""
    yield f"{'who holds what':24} {'bytes':>10}"
    for holder in state.holders:
        line = f"{holder.what[:24]:24} {show(holder.bytes):>10}  {holder.text}".rstrip()
        yield from textwrap.wrap(line, WIDTH, subsequent_indent=" " * 4, break_on_hyphens=False)
    if state.relieved:
        yield ""
        yield f"{'freed':>10} {'ago':>8}  by"
        for one in reversed(state.relieved):
            yield clipped(f"{show(one.bytes):>10} {duration(one.ago):>8}  {one.level}: {one.what or 'nobody had any'}")


def _bound(bound: Bound) -> str:
    return f"{show(bound.limit)}, {bound.share:.0%} of it used ({show(bound.used)}): {bound.name}"


def _verdict(state: State) -> str:
    leak = state.leak
    if leak.kind == "none":
        return f"no leak. {leak.evidence}"
    slope = f", {show(leak.slope_bytes_per_hour)} an hour" if leak.slope_bytes_per_hour else ""
    return f"{leak.kind}{slope}. {leak.evidence}"


def trend(lows: Sequence[tuple[float, int]]) -> str:
    """The change, and its course."""
    if len(lows) < 2:
        return "not known yet: it takes two minutes"
    oldest, values = lows[0][0], [rss for _, rss in lows]
    return f"{signed(values[-1] - values[0])} in {duration(oldest - lows[-1][0])}  {sparks(values)}"


def signed(change: int) -> str:
    sign = "+" if change > 0 else "-" if change < 0 else ""
    return sign + show(abs(change))


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
