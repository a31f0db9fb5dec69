"""A run from its first subject to its last: what is known is kept, whatever ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from galvo_bench.results.model import Run, Section
from galvo_bench.running.stand import Stand
from galvo_bench.running.subjects import Measure


class Measurable(Protocol):
    """A subject, or a claim."""

    @property
    def name(self) -> str: ...

    def measure(self) -> Measure: ...


async def measure(run: Run, stand: Stand, subjects: Sequence[Measurable], each: Callable[[Section], None]) -> None:
    """Fill `run`; each section is also given to `each` as soon as it is known."""
    began = monotonic()
    for subject in subjects:
        stand.progress.begin(subject.name)
        found = await subject.measure()(stand)
        stand.progress.end()
        for section in found:
            each(section)
        run.sections.extend(found)
        run.done.append(subject.name)
        run.seconds = monotonic() - began
