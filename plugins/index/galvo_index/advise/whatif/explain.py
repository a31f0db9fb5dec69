"""Asks the planner, with literals, with real arguments, or for any arguments."""

from __future__ import annotations

import json
from typing import Any

import asyncpg

from galvo_index.advise.whatif.backend import Question, Refused

MOST_ARGUMENTS = 3
"""Tuples of arguments a statement is planned for."""
_REFUSALS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.exceptions.InternalClientError)


class Explainer:
    """One connection's. PREPAREd statements stay until `close`."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._prepared: dict[str, str] = {}
        self._failed: dict[str, str] = {}

    async def plans(self, question: Question, sql: str) -> list[dict[str, Any]]:
        """A plan for each tuple of arguments, or a single one. Raises Refused."""
        if sql in self._failed:
            raise Refused(self._failed[sql])
        try:
            if not question.parameters:
                return [await self._explain(f"explain (format json) {sql}")]
            fitting = [one for one in question.statement.arguments if len(one) == question.parameters]
            if fitting:
                return [await self._explain(f"explain (format json) {sql}", *one) for one in fitting[:MOST_ARGUMENTS]]
            return [await self._generic(question, sql)]
        except (*_REFUSALS, ValueError, TypeError) as error:
            if self._connection.is_closed():
                raise
            self._failed[sql] = str(error)
            raise Refused(str(error)) from None

    async def _explain(self, sql: str, *arguments: Any) -> dict[str, Any]:
        text = await self._connection.fetchval(sql, *arguments)
        plan: dict[str, Any] = json.loads(text)[0]["Plan"]
        return plan

    async def _generic(self, question: Question, sql: str) -> dict[str, Any]:
        """As the server plans a prepared statement for any arguments; it would keep the plan if we let it."""
        name = self._prepared.get(sql)
        if name is None:
            name = f"galvo_advise_{len(self._prepared)}"
            await self._connection.execute(f"prepare {name} as {sql}")
            self._prepared[sql] = name
        else:
            await self._connection.execute("discard plans")
        nulls = ", ".join(["null"] * question.parameters)
        return await self._explain(f"explain (format json) execute {name}({nulls})")

    async def close(self) -> None:
        for name in self._prepared.values():
            await self._connection.execute(f"deallocate {name}")
        self._prepared.clear()
