"""Which of very many candidates to look at: those that the planner picks when it may pick any.

Source: index_advisor's single EXPLAIN with every column indexed; here by kinds, and again without the first choice, so
that the small alternatives to a large index are on the list too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.search.costs import Set
from galvo_index.advise.whatif.backend import Backend, Question, Refused

ROUNDS = 2
_KINDS: tuple[Callable[[Candidate], bool], ...] = (
    lambda one: len(one.keys) == 1 and not one.include,
    lambda one: not one.include,
    lambda one: len(one.keys) == 1,
    lambda one: bool(one.where) or one.method != "btree" or not one.plain,
    lambda one: True,
)


async def shortlist(
    backend: Backend, question: Question, candidates: Sequence[Candidate], deadline: float
) -> dict[Set, float]:
    """What it picks each time, sets that help together, with what it costs then."""
    found: dict[Set, float] = {}
    for kind in _KINDS:
        left = frozenset(one for one in candidates if kind(one))
        for _ in range(ROUNDS):
            if not left or time.monotonic() > deadline:
                break
            try:
                plan = await backend.plan(question, left)
            except Refused:
                return found
            if not plan.used:
                break
            found[plan.used] = plan.cost
            left -= plan.used
    return found
