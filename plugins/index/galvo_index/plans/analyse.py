"""All rules on one plan."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import asyncpg
import msgspec

from galvo_index.finding import Finding
from galvo_index.plans import rules
from galvo_index.plans.explaining import Unexplained, explained
from galvo_index.plans.facts import Facts, look
from galvo_index.plans.node import Node, Plan


class Case(msgspec.Struct):
    """What a rule is given."""

    sql: str
    args: Sequence[Any]
    """Of the statement; empty: not known."""
    plan: Plan
    facts: Facts
    known_rows: float | None = None
    """How many rows the statement gives on average, when that was counted."""
    blamed: set[int] = msgspec.field(default_factory=set)
    """Steps (`id`) of which a rule has said what is wrong: a more general one need not say it again."""

    def blame(self, node: Node) -> None:
        self.blamed.add(id(node))

    def free(self, node: Node) -> bool:
        return id(node) not in self.blamed


Rule = Callable[[Case], Iterator[Finding]]


class Analysis(msgspec.Struct, frozen=True):
    shape: str
    cost: float
    findings: list[Finding]
    plan: Plan
    facts: Facts


@cache
def every_rule() -> tuple[Rule, ...]:
    """`find` of each module of `rules`, special ones first (`ORDER`, 50 unless it says so)."""
    modules = [importlib.import_module(f"{rules.__name__}.{one.name}") for one in pkgutil.iter_modules(rules.__path__)]
    return tuple(module.find for module in sorted(modules, key=lambda module: getattr(module, "ORDER", 50)))


def judged(case: Case) -> list[Finding]:
    """What is wrong with a plan; each thing once, also when all partitions of a table have it."""
    found: dict[tuple[str, str], Finding] = {}
    for rule in every_rule():
        for one in rule(case):
            found.setdefault((one.rule, case.facts.whole(one.subject)), one)
    return [*found.values()]


async def analysed(
    connection: asyncpg.Connection,
    sql: str,
    args: Sequence[Any] = (),
    *,
    analyze: bool = False,
    settings: Sequence[str] = (),
    timeout: float = 2.0,
    known_rows: float | None = None,
    guarded: bool = False,
) -> Analysis:
    """Explain a statement (see `explained`) and judge its plan; the transaction is rolled back. Raises Unexplained."""
    try:
        plan = await explained(
            connection, sql, args, analyze=analyze, settings=settings, timeout=timeout, guarded=guarded
        )
        try:
            facts = await look(connection, plan)
        except asyncpg.PostgresError as error:
            raise Unexplained(f"the catalog cannot be read ({type(error).__name__})") from error
    finally:
        if not connection.is_closed():
            await connection.execute("rollback")
    return Analysis(plan.shape, plan.root.cost, judged(Case(sql, args, plan, facts, known_rows)), plan, facts)
