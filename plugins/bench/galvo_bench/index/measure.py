"""Every set's plans, and what each plan costs: run once per round for all sets that lead to it.

The same plan on the same pages is the same work, so sets differ only by queries whose plans differ. The first set is
the baseline; it is run twice per round, and the difference is the noise (A/A).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

import msgspec

from galvo_bench.index.backend import Backend, Cost
from galvo_bench.index.sets import IndexSet
from galvo_bench.index.union import PREFIX, Union
from galvo_bench.running.stand import must

_NAME = re.compile(rf'"Index Name": "({PREFIX}\d+)"')


class Ran(msgspec.Struct):
    """A query under a set of indexes."""

    cost: float
    """The planner's."""
    cpu: float
    """Seconds, best of all rounds; the timeout where it was not finished in time."""
    wall: float
    timed_out: bool
    uses: list[str]
    """The indexes of the set that are in its plan."""


class Outcome(msgspec.Struct, frozen=True):
    chosen: IndexSet
    bytes: int
    build: float
    queries: dict[str, Ran]

    @property
    def cpu(self) -> float:
        return sum(ran.cpu for ran in self.queries.values())

    @property
    def wall(self) -> float:
        return sum(ran.wall for ran in self.queries.values())

    @property
    def cost(self) -> float:
        return sum(ran.cost for ran in self.queries.values())

    @property
    def timeouts(self) -> list[str]:
        return [name for name, ran in self.queries.items() if ran.timed_out]


class Comparison:
    """`runs`: of every plan in a round, after one to warm up. `timeout`: seconds for a query."""

    def __init__(
        self, backend: Backend, union: Union, queries: Mapping[str, str], *, runs: int = 2, timeout: float = 60.0
    ) -> None:
        self._backend = backend
        self._union = union
        self._queries = queries
        self._runs = runs
        self._timeout = timeout
        self._rows: dict[str, int] = {}
        self._endless: dict[tuple[str, str], Cost] = {}
        """Plans that have not finished: they are not tried again."""

    async def run(
        self, sets: list[IndexSet], rounds: int, each: Callable[[str], object] = lambda _: None
    ) -> list[Outcome]:
        """All sets in every round, in rotating order; the first comes back once more as its own A/A."""
        again = msgspec.structs.replace(sets[0], name=f"{sets[0].name} again (A/A)")
        everyone = [*sets, again]
        found: dict[int, dict[str, Ran]] = {number: {} for number in range(len(everyone))}
        for turn in range(rounds):
            measured: dict[tuple[str, str, bool], Cost] = {}
            order = range(len(everyone))
            for number in (*order[turn:], *order[:turn]):
                chosen = everyone[number]
                each(f"round {turn + 1} of {rounds}: {chosen.name}")
                async with self._union.only(chosen):
                    for name in self._queries:
                        ran = await self._query(name, measured, apart=chosen is again)
                        _keep_best(found[number], name, ran)
        return [
            Outcome(chosen, self._union.size(chosen), self._union.seconds(chosen), found[number])
            for number, chosen in enumerate(everyone)
        ]

    async def _query(self, name: str, measured: dict[tuple[str, str, bool], Cost], *, apart: bool) -> Ran:
        """`apart`: not what another set has measured in this round."""
        sql = self._queries[name]
        found = await self._backend.connection.fetchval(f"explain (format json) {sql}")
        [plan] = json.loads(found)
        shape = _shape(plan["Plan"])
        if (name, shape, apart) not in measured:
            measured[name, shape, apart] = self._endless.get((name, shape)) or await self._measure(name, shape)
        cost = measured[name, shape, apart]
        used = {self._union.text(index) for index in _NAME.findall(json.dumps(plan))}
        uses = sorted(text for text in used if text)
        return Ran(plan["Plan"]["Total Cost"], cost.cpu, cost.wall, cost.timed_out, uses)

    async def _measure(self, name: str, shape: str) -> Cost:
        sql = self._queries[name]
        costs = []
        for _ in range(1 + self._runs):
            cost = await self._backend.run(sql, self._timeout)
            if cost.timed_out:
                self._endless[name, shape] = Cost(self._timeout, self._timeout, timed_out=True)
                return self._endless[name, shape]
            must(self._rows.setdefault(name, cost.rows) == cost.rows, f"{name} gives other rows with other indexes")
            costs.append(cost)
        return min(costs[1:], key=lambda cost: cost.cpu)


def _keep_best(queries: dict[str, Ran], name: str, ran: Ran) -> None:
    best = queries.setdefault(name, ran)
    best.cpu, best.wall = min(best.cpu, ran.cpu), min(best.wall, ran.wall)


def _shape(plan: object) -> str:
    """A plan without its estimates."""
    if isinstance(plan, dict):
        kept = {key: value for key, value in plan.items() if not key.endswith(" Cost") and not key.startswith("Plan ")}
        return "{" + ", ".join(f"{key}: {_shape(value)}" for key, value in kept.items()) + "}"
    return "[" + ", ".join(map(_shape, plan)) + "]" if isinstance(plan, list) else str(plan)
