"""TPC-H under galvo's advice, the peers' and none, budget by budget."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from galvo_bench.index import sets, tools
from galvo_bench.index.advice import MB, advised
from galvo_bench.index.backend import Backend
from galvo_bench.index.database import tell, tpch_database
from galvo_bench.index.measure import Comparison, Outcome
from galvo_bench.index.report import Report, Row
from galvo_bench.index.sets import IndexSet
from galvo_bench.index.union import Union
from galvo_index.workload import Statement

NONE = IndexSet("none", (), free=True)


async def measure(url: str, options: Any) -> AsyncGenerator[Report, None]:
    """A report for every budget; `options`: those of the command. Raises GalvoError."""
    queries = tools.queries()
    chosen = sets.select(sets.kept(options.sets), options.scale, options.budgets)
    budgets = options.budgets or [*sorted({one.budget for one in chosen if one.budget}), None]
    async with tpch_database(url, options.scale) as connection:
        union = Union(connection)
        await union.drop()
        if not options.no_advice:
            for budget in budgets:
                tell(f"asking galvo, {_limit(budget)}")
                statements = [Statement(sql) for sql in queries.values()]
                chosen.append(await advised(connection, statements, budget=budget))
        backend = Backend(connection)
        comparison = Comparison(backend, union, queries, runs=options.runs, timeout=options.timeout)
        try:
            await union.build(chosen, lambda index: tell(f"creating an index on {index}"))
            found = await comparison.run([NONE, *chosen], options.rounds, tell)
        finally:
            await union.drop()
    clock = "CPU seconds of the server" if backend.exact else "seconds (the server is elsewhere: wall time)"
    explains = (
        f"{len(queries)} queries: the planner's cost, and {clock}, best of {options.rounds * options.runs}. `late`: "
        f"queries stopped after {options.timeout:g} s. `took`: the advisor. One that takes no budget is shown where "
        "its indexes fit."
    )
    for budget in budgets:
        yield _report(found, budget, options.scale, explains)


def _report(found: list[Outcome], budget: int | None, scale: float, explains: str) -> Report:
    base = found[0].cpu
    mine = [one for one in found if _belongs(one, budget)]
    rows = [_row(one, base) for one in sorted(mine, key=lambda one: (bool(one.chosen.indexes), one.cpu))]
    return Report(f"TPC-H, scale {scale:g}, {_limit(budget)}", explains, rows)


def _belongs(outcome: Outcome, budget: int | None) -> bool:
    chosen = outcome.chosen
    return chosen.budget == budget or (chosen.free and (budget is None or outcome.bytes <= budget * MB))


def _row(outcome: Outcome, base: float) -> Row:
    chosen, timeouts = outcome.chosen, outcome.timeouts
    cells = {
        "idx": str(len(chosen.indexes)),
        "MB": f"{outcome.bytes / MB:.0f}",
        "cost": f"{outcome.cost:.3g}",
        "CPU s": f"{outcome.cpu:.2f}",
        "ratio": f"{outcome.cpu / base:.3f}",
        "late": str(len(timeouts) or "-"),
        "took s": "-" if chosen.seconds is None else f"{chosen.seconds:.1f}",
    }
    facts = msgspec.to_builtins(outcome) | {"cpu": outcome.cpu, "wall": outcome.wall, "cost": outcome.cost}
    return Row(chosen.name, cells, facts)


def _limit(budget: int | None) -> str:
    return "no limit" if budget is None else f"at most {budget:,} MB"
