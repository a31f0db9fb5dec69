"""What a search may add in one step, with what it may gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.parse.workload import Read
from galvo_index.advise.search.costs import Set
from galvo_index.advise.search.shortlist import shortlist
from galvo_index.advise.search.weights import Weights
from galvo_index.advise.whatif.backend import Backend, Question
from galvo_index.advise.whatif.guess import Guess

FEW, MOST, WORK = 60, 150, 0.99
"""Indexes are looked for so many statements at least and at most; between them, until they do so much of the work."""


@dataclass(slots=True)
class Moves:
    gains: dict[Set, float] = field(default_factory=dict)
    """Roughly; single candidates, and those that a plan uses together."""
    tried: Set = frozenset()
    """All that could be asked about."""

    def relevant(self, made: Sequence[Candidate]) -> Set:
        """Those of other statements too that begin with a key that this one can use."""
        own = set(made)
        leads = {(one.table.oid, one.keys[0]) for one in made}
        listed = {one for move in self.gains for one in move}
        return frozenset(one for one in listed if one in own or (one.table.oid, one.keys[0]) in leads)


def most_important(questions: Sequence[Question], weights: Weights, base: Mapping[int, float]) -> list[Question]:
    worths = {one.number: weights.worth(one.number, base[one.number]) for one in questions}
    left = WORK * sum(worths.values())
    kept: list[Question] = []
    for one in sorted(questions, key=lambda one: -worths[one.number])[:MOST]:
        if left <= 0 and len(kept) >= FEW:
            break
        kept.append(one)
        left -= worths[one.number]
    return kept


async def find(
    backend: Backend,
    read: Read,
    questions: Sequence[Question],
    made: Mapping[int, Sequence[Candidate]],
    weights: Weights,
    deadline: float,
) -> Moves:
    """Where asking is dear, statistics say what is worth it."""
    asked: Backend = Guess(read.uses) if backend.verified == "sample" else backend
    wanted = dict.fromkeys(one for question in questions for one in made[question.number])
    can = frozenset(wanted if asked is not backend else await backend.possible(wanted))
    moves = Moves(tried=can)
    for question in questions:
        own = [one for one in made[question.number] if one in can]
        before = (await asked.plan(question, frozenset())).cost
        for found, cost in (await shortlist(asked, question, own, deadline)).items():
            gain = weights.worth(question.number, before) - weights.worth(question.number, cost)
            for move in (found, *(frozenset([one]) for one in found)):
                moves.gains[move] = moves.gains.get(move, 0.0) + gain / len(found)
    if asked is not backend:
        listed = dict.fromkeys(one for move in moves.gains for one in move)
        can = frozenset(await backend.possible(listed))
        moves.gains = {move: gain for move, gain in moves.gains.items() if move <= can}
    return moves
