"""What each statement costs with a set of indexes, asking the planner as seldom as possible."""

from __future__ import annotations

from collections import defaultdict

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.whatif.backend import Backend, Plan, Question, Refused

Set = frozenset[Candidate]


class Costs:
    """A plan stays the same when an index that it does not use is taken away: the planner takes the cheapest.

    So an answer for a set holds for all of its subsets that still have the indexes used.
    Source: the atomic configurations of Finkelstein, Schkolnick and Tiberio (TODS 1988).
    """

    def __init__(self, backend: Backend, relevant: dict[int, Set]) -> None:
        self._backend = backend
        self._relevant = relevant
        self._exact: dict[tuple[int, Set], Plan] = {}
        self._known: dict[int, list[tuple[Set, Plan]]] = defaultdict(list)
        self.asked = 0

    async def plan(self, question: Question, indexes: Set) -> Plan:
        wanted = indexes & self._relevant[question.number]
        exact = self._exact.get((question.number, wanted))
        if exact is not None:
            return exact
        for asked, plan in self._known[question.number]:
            if plan.used <= wanted <= asked:
                return plan
        try:
            plan = await self._backend.plan(question, indexes)
        except Refused:  # planning takes too long with these
            plan = await self._backend.plan(question, frozenset())
        self.asked += 1
        if not plan.used <= wanted:  # it can use one that it did not ask for
            self._relevant[question.number] |= plan.used
            wanted |= plan.used
        self._exact[question.number, wanted] = plan
        self._known[question.number].append((wanted, plan))
        return plan
