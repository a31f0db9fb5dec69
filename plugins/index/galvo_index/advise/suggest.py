"""Suggestions that the way of asking cannot try: HypoPG knows no GIN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from galvo_index.advise.advice import Advice, Gain
from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.candidates.size import size
from galvo_index.advise.parse.workload import Read
from galvo_index.advise.report import build
from galvo_index.advise.search.problem import Problem
from galvo_index.advise.whatif.guess import Guess

ENOUGH = 0.5
"""The part of the cost that may remain by a guess."""


async def suggest(
    problem: Problem,
    chosen: Sequence[Candidate],
    made: Mapping[int, Sequence[Candidate]],
    tried: frozenset[Candidate],
    read: Read,
) -> list[Advice]:
    """Unverified; within what the budget leaves."""
    guess, whole = Guess(read.uses), frozenset(chosen)
    left = problem.budget - problem.size(whole)
    gains: dict[Candidate, list[Gain]] = {}
    for question in problem.questions:
        now = (await problem.costs.plan(question, whole)).cost
        without = (await guess.plan(question, whole)).cost
        for one in made[question.number]:
            if one.method != "gin" or one in tried:
                continue
            ratio = (await guess.plan(question, whole | {one})).cost / without
            if ratio < ENOUGH:
                statement = question.statement
                gain = Gain(statement.sql, now, now * ratio, statement.calls, statement.seconds)
                gains.setdefault(one, []).append(gain)
    found = []
    for one, some in gains.items():
        bytes = size(one)
        if bytes <= left:
            left -= bytes
            found.append(
                Advice(
                    one.definition,
                    bytes,
                    tuple(some),
                    "no",
                    build(one, bytes),
                    problem.writes.part(one),
                    len(one.table.leaves),
                )
            )
    return found
