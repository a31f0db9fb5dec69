"""What a search asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from galvo_index.advise.advice import Verified
from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.workload import Statement


class Question(NamedTuple):
    """A statement, as the planner is asked about it."""

    number: int
    statement: Statement
    parameters: int
    tree: Any


class Plan(NamedTuple):
    cost: float
    used: frozenset[Candidate]


class Refused(Exception):
    """The planner does not take the statement, or the index; its message says why."""


class Backend(Protocol):
    verified: Verified

    async def plan(self, question: Question, indexes: frozenset[Candidate]) -> Plan:
        """With just these besides the existing ones. Raises Refused."""
        ...

    async def close(self) -> None:
        """Takes back all that was made for asking."""
        ...

    async def possible(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Those that can be tried."""
        ...
