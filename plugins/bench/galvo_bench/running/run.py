"""A run from its first subject to its last: what is known is kept, whatever ends it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from traceback import extract_tb
from typing import Any, Protocol

import msgspec

from galvo import GalvoError
from galvo_bench.results.model import Problem, Run, Section
from galvo_bench.running.children import Children
from galvo_bench.running.disk import is_full
from galvo_bench.running.interruption import Interruption
from galvo_bench.running.stand import NoServer, Stand
from galvo_bench.running.subjects import Measure

HERE = Path(__file__).parent.parent
LONGEST = 500
"""Characters of what a failure says."""


class Measurable(Protocol):
    """A subject, or a claim."""

    @property
    def name(self) -> str: ...

    @property
    def disk(self) -> int:
        """MB that it writes at most, servers included."""

    def measure(self) -> Measure: ...


async def measure(
    run: Run,
    stand: Stand,
    subjects: Sequence[Measurable],
    each: Callable[[Section], None],
    keep: Callable[[], None] = lambda: None,
    interruption: Interruption | None = None,
) -> None:
    """Fill `run`; each section is also given to `each` as soon as it is known, and `keep` is called after each subject.

    One that fails is a problem of the run, which goes on. Raises CancelledError, NoServer, and what `each` and `keep`
    raise.
    """
    interruption = interruption or Interruption()
    interruption.here()
    began = monotonic()
    for subject in subjects:
        children, since = Children(), monotonic()
        found: list[Section] = []
        problem, how = None, "interrupted"
        stand.progress.begin(subject.name)
        try:
            found = await subject.measure()(stand)
            must_be_numbers(found)
            how = "measured" if not interruption.happened else how
        except NoServer:
            how = "failed"
            raise
        except Exception as error:  # noqa: BLE001  # any fault of one subject; the others are measured all the same
            how = "failed" if not interruption.happened else how
            problem = Problem(subject.name, stand.scrubbed(said(error)))
        finally:
            stand.progress.end(how)
            children.end()
        if interruption.happened:  # whatever the subject has made of it
            raise asyncio.CancelledError
        if problem is not None:
            run.problems.append(problem)
            await stand.clean()
        else:
            run.sections.extend(found)
            run.done.append(subject.name)
        run.machine = await stand.described(run.machine)
        run.took[subject.name] = monotonic() - since
        run.seconds = monotonic() - began
        keep()
        if problem is None:
            for section in found:
                each(section)


def said(error: BaseException) -> str:
    """In a sentence, with the place in our code that it comes from."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(str(error).split())
    if isinstance(error, GalvoError):
        return text[:LONGEST]
    if is_full(error):
        return f"a disk is full: {text}"[:LONGEST]
    at = "".join(
        f" ({path.relative_to(HERE)}:{frame.lineno})"
        for frame in extract_tb(error.__traceback__)
        if (path := Path(frame.filename)).is_relative_to(HERE) and path.parent != HERE / "running"
    ).rpartition(" ")[2]
    return f"{type(error).__name__}{': ' if text else ''}{text[:LONGEST]}{at and f' {at}'}"


def must_be_numbers(sections: Sequence[Section]) -> None:
    """JSON knows neither NaN nor infinity. Raises GalvoError."""
    for section in sections:
        for name, value in _floats(msgspec.to_builtins(section), ""):
            if not math.isfinite(value):
                raise GalvoError(f"the benchmark is wrong: {value} is no result ({section.title}: {name})")


def _floats(found: Any, name: str) -> Iterator[tuple[str, float]]:
    if isinstance(found, float):
        yield name, found
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from _floats(value, key if name == "" or key != "name" else name)
    elif isinstance(found, list | tuple):
        for item in found:
            yield from _floats(item, name)
