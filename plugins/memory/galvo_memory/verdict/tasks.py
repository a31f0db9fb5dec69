"""Tasks that never end: how many wait where."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import NamedTuple

LEAST = 5
"""By which there have to be more."""


class Waiting(NamedTuple):
    """Tasks of one coroutine function that wait at one of its lines."""

    file: str
    line: int
    name: str
    """Of the coroutine function."""
    tasks: int
    more: int
    """Than at the first look."""

    def __str__(self) -> str:
        return f"{self.tasks:,} tasks of {self.name} wait at {self.file}:{self.line} ({self.more:+,})"


Place = tuple[str, int, str]


def waiting(loop: asyncio.AbstractEventLoop) -> Counter[Place]:
    """Unfinished tasks by where they wait. May be called from any thread; about 1 us a task."""
    found: Counter[Place] = Counter()
    for task in asyncio.all_tasks(loop):
        coroutine = task.get_coro()
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None:
            found[frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname] += 1
    return found


def grown(before: Counter[Place], after: Counter[Place]) -> list[Waiting]:
    """Where more wait than before, most first."""
    more = ((place, count, count - before[place]) for place, count in after.items())
    places = sorted((item for item in more if item[2] >= LEAST), key=lambda item: -item[2])
    return [Waiting(*place, count, growth) for place, count, growth in places]
