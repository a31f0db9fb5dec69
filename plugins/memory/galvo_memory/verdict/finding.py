"""After a verdict: names for it. A short window, a look at tasks and collector, and for native leaks at the lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from galvo_memory.verdict import objects
from galvo_memory.verdict import tasks as waits
from galvo_memory.verdict.detector import Kind
from galvo_memory.verdict.tasks import Waiting
from galvo_memory.verdict.whereabouts import Whereabout, whereabouts
from galvo_memory.verdict.windows import Line, Windows, process

LINES_SECONDS = 10.0
"""At most, in which lines are traced in bursts."""
EXPLAINED = 0.25
"""Of what RSS gains, that lines of Python have to keep for it to be theirs."""
BY_HAND = (
    "No line of Python keeps it: an extension module or a C library does. To see its calls, by hand: "
    "`memray run --native -o leak.bin PROGRAM`, then `memray flamegraph --leaks leak.bin`."
)


class Finding(NamedTuple):
    """What the verdict is about; lists have the largest first."""

    lines: list[Line]
    """That allocate what is kept."""
    tasks: list[Waiting]
    whereabouts: list[Whereabout]
    types: list[tuple[str, int]]
    """By how many there are more; empty unless asked for."""
    notes: list[str]

    def sentences(self) -> list[str]:
        """For people, what names the cause best first."""
        more = [f"{count:,} more objects of type {name}" for name, count in self.types]
        return [*map(str, self.tasks), *map(str, self.whereabouts), *map(str, self.lines), *more, *self.notes]


def investigate(
    kind: Kind,
    rss: Callable[[], int],
    seconds: float = 20.0,
    loop: asyncio.AbstractEventLoop | None = None,
    types: bool = False,
    windows: Windows = process,
) -> Finding:
    """Name what grows. `rss` tells bytes; `types` counts objects by type, too, which stops the process for a moment.

    Blocks for `seconds` and some more: call it in a thread; with the `loop` that is looked at, if there is one.
    Raises WindowRefused, before anything is slowed down.
    """
    places: list[Whereabout] = []
    kinds = objects.types() if types else None
    waiting = waits.waiting(loop) if loop is not None else None
    before = rss()
    lines = windows.look(seconds)
    rise = rss() - before
    stuck = waits.grown(waiting, waits.waiting(loop)) if loop is not None and waiting is not None else []
    more = objects.grown(kinds, objects.types()) if kinds is not None else []
    notes = [note for note in (objects.collector(),) if note]
    if kind == "native":
        if loop is not None:
            places = whereabouts(loop, min(seconds, LINES_SECONDS), rss)
        if 2 * sum(line.bytes for line in lines) < EXPLAINED * rise:  # lines are of the window's second half
            notes.append(BY_HAND)
    return Finding(lines, stuck, places, more, notes)
