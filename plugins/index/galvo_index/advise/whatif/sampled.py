"""Real indexes on a sample of the tables: temporary copies, of this session only, in a transaction that is rolled back.

Ratios of costs on a sample of a few percent rank indexes as real ones do (correlation 0.98 in this project's research,
HypoPG's is 0.92). It reads a part of each table once, and writes temporary files.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import asyncpg
from pglast import ast
from pglast.stream import RawStream

from galvo_index.advise.advice import Verified
from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.catalog.load import Catalog
from galvo_index.advise.catalog.table import Table
from galvo_index.advise.parse.names import quoted
from galvo_index.advise.whatif.backend import Plan, Question, Refused
from galvo_index.advise.whatif.cost import Model, Relation, indexes, relation
from galvo_index.advise.whatif.explain import Explainer
from galvo_index.definition import Definition
from galvo_sql import walk

MOST_PAGES = 4096
"""Copied, of all tables together: 32 MB."""
LEAST_PAGES = 100
"""... of each, for ratios that mean something."""


class Sampled:
    verified: Verified = "sample"

    def __init__(self, connection: asyncpg.Connection, catalog: Catalog, missing: float, outside: float) -> None:
        self._connection = connection
        self._catalog = catalog
        self._transaction = connection.transaction()
        self._explainer = Explainer(connection)
        self._copies: dict[int, str] = {}
        self._relations: dict[str, Relation] = {}
        self._model = Model(self._relations, missing, outside)
        self._there: dict[Candidate, str] = {}
        self._names: dict[str, Candidate] = {}
        self._texts: dict[int, str] = {}

    async def start(self, tables: Iterable[Table]) -> None:
        """Raises asyncpg.PostgresError when the role may not do it."""
        chosen = [table for table in tables if table.kind in "rpm"]
        part = min(1.0, MOST_PAGES / max(1, sum(table.pages for table in chosen)))
        await self._transaction.start()
        for table in chosen:
            percent = 100 * min(1.0, max(part, LEAST_PAGES / max(table.pages, 1)))
            await self._copy(table, percent)

    async def close(self) -> None:
        await self._transaction.rollback()
        await self._explainer.close()

    async def possible(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        kept = []
        for one in candidates:
            try:
                await self._create(one)
            except Refused:
                continue
            await self._drop(one)
            kept.append(one)
        return kept

    async def plan(self, question: Question, indexes_: frozenset[Candidate]) -> Plan:
        for one in self._there.keys() - indexes_:
            await self._drop(one)
        for one in indexes_ - self._there.keys():
            await self._create(one)
        text = self._texts.get(question.number) or self._moved(question)
        async with self._connection.transaction():
            plans = await self._explainer.plans(question, text)
        used = {self._names[name] for plan in plans for name in indexes(plan) if name in self._names}
        return Plan(sum(self._model.cost(plan) for plan in plans) / len(plans), frozenset(used))

    async def _copy(self, table: Table, percent: float) -> None:
        name = f"galvo_sample_{table.oid}"
        columns = ", ".join(table.quoted.values())
        sample = "" if percent >= 100 else f"tablesample system ({percent:.3f}) repeatable (1)"
        await self._connection.execute(
            f"create temporary table {name} on commit drop as select {columns} from {table.relation} {sample}"  # noqa: S608
        )
        self._copies[table.oid] = name
        self._relations[name] = relation(table, percent / 100)
        leaf = table.leaves[0] if table.leaves else table
        for index in leaf.indexes:
            if index.method == "btree":
                made = Definition("pg_temp", name, index.keys, index.include, index.where)
                with suppress(asyncpg.PostgresError):  # of a class that is not on the search_path
                    await self._execute(made.sql(""))
        await self._connection.execute(f"analyze {name}")

    async def _create(self, one: Candidate) -> None:
        name, made = f"galvo_try_{len(self._names)}", one.definition
        copy = Definition("pg_temp", self._copies[one.table.oid], made.keys, made.include, made.where, made.method)
        try:
            await self._execute(copy.sql(name))
        except asyncpg.PostgresError as error:
            raise Refused(str(error)) from None
        self._there[one] = name
        self._names[name] = one

    async def _drop(self, one: Candidate) -> None:
        name = self._there.pop(one)
        await self._execute(f"drop index pg_temp.{name}")

    async def _execute(self, sql: str) -> None:
        async with self._connection.transaction():
            await self._connection.execute(sql)

    def _moved(self, question: Question) -> str:
        """The statement with the copies in the place of its tables."""
        tree: Any = deepcopy(question.tree)
        queries = {node.ctename for node in walk(tree) if isinstance(node, ast.CommonTableExpr)}
        for node in walk(tree):
            if not isinstance(node, ast.RangeVar) or (not node.schemaname and node.relname in queries):
                continue
            table = self._catalog.find(quoted(node.schemaname, node.relname))
            if table is None:
                continue
            if table.oid not in self._copies:
                raise Refused(f"{table.relation} cannot be copied")
            node.alias = node.alias or ast.Alias(aliasname=node.relname)
            node.schemaname, node.relname = "pg_temp", self._copies[table.oid]
        self._texts[question.number] = text = str(RawStream()(tree))
        return text
