"""Hypothetical indexes of the HypoPG extension: of this session only, never stored, seen by EXPLAIN alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import asyncpg

from galvo_index.advise.advice import Verified
from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.catalog.table import Index, Table
from galvo_index.advise.whatif.backend import Plan, Question
from galvo_index.advise.whatif.cost import Model, indexes
from galvo_index.advise.whatif.explain import Explainer
from galvo_index.definition import Definition

METHODS = ("btree", "brin", "hash")


class HypoPG:
    """Raises InsufficientPrivilegeError when its functions may not be called."""

    verified: Verified = "hypopg"

    def __init__(self, connection: asyncpg.Connection, schema: str, model: Model) -> None:
        self._connection = connection
        self._schema = schema
        self._model = model
        self._explainer = Explainer(connection)
        self._there: dict[Candidate, list[int]] = {}
        self._names: dict[str, Candidate] = {}

    async def start(self, tables: Iterable[Table]) -> None:
        """Existing indexes get a hypothetical twin: HypoPG's are costed differently, and have to be compared with
        their like, or the copy of an index looks better than the index.
        """
        await self._reset()
        for table in [leaf for one in tables if not one.refused for leaf in one.leaves or (one,)]:
            for index in table.indexes:
                if index.method == "btree":
                    with suppress(asyncpg.PostgresError):
                        await self._made(_twin(table, index))

    async def _reset(self) -> None:
        await self._connection.fetchval(f"select {self._schema}.hypopg_reset()")

    async def close(self) -> None:
        await self._explainer.close()
        await self._reset()
        self._there.clear()

    async def possible(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        kept = []
        fine: set[int] = set()
        for one in candidates:
            if one.method not in METHODS:
                continue
            usual = one.plain and not one.where and one.method == "btree"
            if usual and one.table.oid in fine:  # an order of its columns is known
                kept.append(one)
                continue
            try:
                await self._create(one)
            except asyncpg.PostgresError:  # an expression that is not immutable, a type without an order, no privilege
                continue
            kept.append(one)
            fine |= {one.table.oid} if usual else set()
            await self._drop(one)
        return kept

    async def plan(self, question: Question, indexes_: frozenset[Candidate]) -> Plan:
        for one in self._there.keys() - indexes_:
            await self._drop(one)
        for one in indexes_ - self._there.keys():
            await self._create(one)
        plans = await self._explainer.plans(question, question.statement.sql)
        used = {self._names[name] for plan in plans for name in indexes(plan) if name in self._names}
        return Plan(sum(self._model.cost(plan) for plan in plans) / len(plans), frozenset(used))

    async def _create(self, one: Candidate) -> None:
        made = self._there.setdefault(one, [])
        try:
            for table in one.table.leaves or (one.table,):
                oid, name = await self._made(_on(one, table))
                made.append(oid)
                self._names[name] = one
        except asyncpg.PostgresError:
            await self._drop(one)
            raise

    async def _made(self, sql: str) -> tuple[int, str]:
        query = f"select indexrelid, indexname from {self._schema}.hypopg_create_index($1)"  # noqa: S608
        [(oid, name)] = await self._connection.fetch(query, sql)
        return oid, name

    async def _drop(self, one: Candidate) -> None:
        for oid in self._there.pop(one, ()):
            await self._connection.fetchval(f"select {self._schema}.hypopg_drop_index($1)", oid)


def _on(one: Candidate, table: Table) -> str:
    made = one.definition
    return Definition(table.schema, table.name, made.keys, made.include, made.where, made.method).sql("")


def _twin(table: Table, index: Index) -> str:
    include = f" include ({', '.join(index.include)})" if index.include else ""
    where = f" where {index.where}" if index.where else ""
    keys = ", ".join(index.keys)
    return f"create {'unique ' if index.unique else ''}index on {table.relation} ({keys}){include}{where}"
