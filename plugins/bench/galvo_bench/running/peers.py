"""Peers are optional: one that is not installed, or does not work here, is named with the reason."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from galvo_bench.method.rounds import Candidate, Clock, Result, compare
from galvo_bench.results.model import Missing
from galvo_bench.running.stand import Stand

T = TypeVar("T")


class Absent(Exception):
    """A peer is not installed; the message says so."""


def need(module: str) -> Any:
    """Import a peer. Raises Absent."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Absent("not installed") from None


class Lineup:
    """The candidates of one comparison, the baseline first, and the peers that are missing."""

    def __init__(self, *candidates: Candidate) -> None:
        self.candidates = list(candidates)
        self.missing: list[Missing] = []

    def add(self, candidate: Candidate) -> None:
        self.candidates.append(candidate)

    async def peer(self, name: str, make: Callable[[], Awaitable[Candidate]]) -> None:
        """Make a peer's candidate and try it once."""
        made = await attempt(name, lambda: _tried(make))
        if isinstance(made, Missing):
            self.missing.append(made)
        else:
            self.candidates.append(made)

    async def compare(self, stand: Stand, clock: Clock, rounds: int = 0) -> list[Result | Missing]:
        """Measure all; `rounds` 0 is as many as the stand says."""
        return [*await compare(self.candidates, rounds or stand.rounds, clock, stand.tick), *self.missing]


async def attempt(name: str, make: Callable[[], Awaitable[T]]) -> T | Missing:
    """What `make` gives, or why a peer gives nothing."""
    try:
        return await make()
    except Absent as absent:
        return Missing(name, str(absent))
    except Exception as error:  # noqa: BLE001  # a peer's own fault must not end the run
        return Missing(name, f"does not work here: {type(error).__name__}")


async def _tried(make: Callable[[], Awaitable[Candidate]]) -> Candidate:
    candidate = await make()
    if candidate.before is not None:
        await candidate.before()
    await candidate.operation()
    return candidate
