"""What is searched, and what a choice is worth."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.candidates.size import size
from galvo_index.advise.search.costs import Costs, Set
from galvo_index.advise.search.weights import Weights
from galvo_index.advise.search.writes import Writes
from galvo_index.advise.whatif.backend import Question

NOTABLE = 0.97
"""Part of its cost that at least one statement has to get below."""


class OutOfTime(Exception):
    pass


@dataclass(slots=True)
class Problem:
    questions: Sequence[Question]
    weights: Weights
    bytes: dict[Candidate, int]
    costs: Costs
    writes: Writes
    relevant: dict[int, Set]
    budget: float
    stored: float
    """Bytes of the tables."""
    deadline: float
    """Of time.monotonic."""

    async def worth(self, indexes: Set) -> float:
        """The cost of the workload with these: the lower the better."""
        reads = [self.weights.worth(one.number, (await self.costs.plan(one, indexes)).cost) for one in self.questions]
        return sum(reads) + self.writes.cost(indexes)

    async def whole(self) -> float:
        """The cost of the workload without any, where nothing counts more than it may."""
        costs = {one.number: (await self.costs.plan(one, frozenset())).cost for one in self.questions}
        return sum(min(self.weights.most, self.weights.worth(number, cost)) for number, cost in costs.items())

    async def change(self, before: Set, after: Set) -> float:
        """How much lower it gets. Raises OutOfTime."""
        if time.monotonic() > self.deadline:
            raise OutOfTime
        gain = self.writes.cost(before) - self.writes.cost(after)
        for one in self._concerned(before ^ after):
            old, new = await self.costs.plan(one, before), await self.costs.plan(one, after)
            gain += self.weights.worth(one.number, old.cost) - self.weights.worth(one.number, new.cost)
        return gain

    async def notable(self, before: Set, after: Set) -> bool:
        """Whether any statement gets faster by more than the planner's estimates are worth."""
        for one in self._concerned(before ^ after):
            old, new = await self.costs.plan(one, before), await self.costs.plan(one, after)
            if new.cost < NOTABLE * old.cost:
                return True
        return False

    def _concerned(self, touched: Set) -> list[Question]:
        return [one for one in self.questions if touched & self.relevant[one.number]]

    def add(self, made: Candidate, instead: Set) -> None:
        """A candidate for what these do."""
        self.bytes[made] = size(made)
        for number, relevant in self.relevant.items():
            if relevant & instead:
                self.relevant[number] = relevant | {made}

    def size(self, indexes: Set) -> int:
        return sum(self.bytes[one] for one in indexes)
