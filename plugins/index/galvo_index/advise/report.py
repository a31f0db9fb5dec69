"""What was chosen, with what it gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from galvo_index.advise.advice import Advice, Gain, Verified
from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.search.problem import Problem

_ROW, _PAGE, _BYTE = 0.5e-6, 15e-6, 8e-9
"""Seconds that building an index takes: for a row, a page of its table, a byte of the index."""


async def report(
    problem: Problem, chosen: Sequence[Candidate], base: Mapping[int, float], verified: Verified
) -> list[Advice]:
    """The greatest gain first."""
    whole = frozenset(chosen)
    gains: dict[Candidate, list[Gain]] = {one: [] for one in chosen}
    saved = dict.fromkeys(chosen, 0.0)
    worth = problem.weights.worth
    for question in problem.questions:
        plan = await problem.costs.plan(question, whole)
        statement = question.statement
        for one in plan.used:
            gains[one].append(Gain(statement.sql, base[question.number], plan.cost, statement.calls, statement.seconds))
            saved[one] += worth(question.number, base[question.number]) - worth(question.number, plan.cost)
    return [
        Advice(
            definition=one.definition,
            bytes=problem.bytes[one],
            gains=tuple(sorted(gains[one], key=lambda gain: gain.ratio)),
            verified=verified,
            build=build(one, problem.bytes[one]),
            writes=problem.writes.part(one),
            partitions=len(one.table.leaves),
            reason=_reason(gains[one], len(problem.questions)),
        )
        for one in sorted(chosen, key=lambda one: -saved[one])
    ]


def _reason(gains: Sequence[Gain], statements: int) -> str:
    best = min((gain.ratio for gain in gains), default=1.0)
    return f"{len(gains)} of {statements} statements use it; the cost of one falls to {best:.2g} of what it was"


def build(one: Candidate, bytes: int) -> float:
    """Seconds."""
    return one.table.pages * _PAGE + one.table.rows * one.part * _ROW + bytes * _BYTE
