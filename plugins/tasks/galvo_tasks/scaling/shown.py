"""`galvo tasks status`, for people: at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from galvo_tasks.broker.depths import Depth
from galvo_tasks.scaling.protocol import WorkerState

WIDTH = 80


def lines(waiting: Sequence[Depth], here: Sequence[WorkerState], problems: Sequence[str]) -> Iterator[str]:
    for problem in problems:
        yield from textwrap.wrap(problem, WIDTH, break_on_hyphens=False)
    if waiting:
        yield f"{'class':31} {'priority':10} {'waiting':>12} {'oldest':>12}"
    elif not problems:
        yield "nothing waits"
    for one in waiting:
        priority = "all" if one.priority is None else one.priority.name.lower()
        yield f"{one.queue:31} {priority:10} {one.tasks:>12,} {duration(one.oldest):>12}"
    yield ""
    if not here:
        yield "no worker of this application on this machine"
        return
    yield f"{'worker':>8}  {'class':31} {'running':>8} {'at once':>8} {'pool':>8} {'up':>9}"
    for state in here:
        names = textwrap.shorten(", ".join(state.classes), 31, placeholder=" ...")
        yield (
            f"{state.pid:>8}  {names:31} {state.running:>8} {state.concurrency:>8} {state.size:>8} "
            f"{duration(state.up):>9}"
        )
        yield from textwrap.wrap(
            state.why, WIDTH, initial_indent=" " * 10, subsequent_indent=" " * 10, break_on_hyphens=False
        )


def duration(seconds: float | None) -> str:
    """In the unit that suits it; "" for none."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
