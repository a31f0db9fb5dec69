"""From a workload to the indexes that it lacks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from galvo import GalvoError
from galvo_index.advise.advice import Advice, Verified
from galvo_index.advise.candidates.pool import Pool
from galvo_index.advise.catalog.load import start
from galvo_index.advise.catalog.table import PAGE
from galvo_index.advise.parse.workload import Read, read_all
from galvo_index.advise.report import report
from galvo_index.advise.search.costs import Costs
from galvo_index.advise.search.greedy import search
from galvo_index.advise.search.moves import find, most_important
from galvo_index.advise.search.problem import Problem
from galvo_index.advise.search.traffic import traffic
from galvo_index.advise.search.weights import weights
from galvo_index.advise.search.writes import Writes
from galvo_index.advise.suggest import suggest
from galvo_index.advise.whatif.backend import Backend, Question, Refused
from galvo_index.advise.whatif.choose import choose
from galvo_index.workload import Statement

SECONDS = 30.0
"""How long a search may take by default."""
_SHORTLIST = 0.4
"""Part of the time for finding out which candidates to look at."""
_TIMEOUT = 5000
"""Milliseconds for planning one statement."""


@dataclass(slots=True)
class Report:
    advice: list[Advice]
    verified: Verified
    note: str
    """Why it is no better verified."""
    skipped: dict[int, str] = field(default_factory=dict)
    """Numbers of statements that it says nothing about, with the reason."""
    refused: dict[str, str] = field(default_factory=dict)
    """Tables that it advises no index for, with the reason."""
    seconds: float = 0.0


async def advise(
    connection: asyncpg.Connection,
    statements: Sequence[Statement],
    *,
    budget: int | None = None,
    seconds: float = SECONDS,
) -> list[Advice]:
    """The indexes to create, best first; `budget`: bytes of all together, None: no limit.

    Nothing is created. Raises GalvoError when the database cannot be asked.
    """
    return (await consult(connection, statements, budget=budget, seconds=seconds)).advice


async def consult(
    connection: asyncpg.Connection,
    statements: Sequence[Statement],
    *,
    budget: int | None = None,
    seconds: float = SECONDS,
) -> Report:
    """As `advise`, with what it could not look at."""
    if connection.is_in_transaction():
        raise GalvoError("the advisor needs a connection that is not in a transaction")
    began = time.monotonic()
    try:
        async with _careful(connection):
            catalog = await start(connection)
            read = await read_all(connection, catalog, statements)
            tables = {use.table.oid: use.table for uses in read.uses.values() for use in uses}
            backend, note = await choose(connection, catalog, read, tables.values())
            try:
                made = await _search(backend, Pool(catalog.trigrams), read, statements, budget, began, seconds)
            finally:
                await backend.close()
    except asyncpg.QueryCanceledError:
        raise GalvoError("planning took too long: is the server very busy, or a table locked?") from None
    except asyncpg.PostgresError as error:
        raise GalvoError(f"the database says: {error}") from None
    made.note = note
    made.refused = {table.relation: table.refused for table in tables.values() if table.refused}
    made.seconds = time.monotonic() - began
    return made


@asynccontextmanager
async def _careful(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Nothing waits long; the session's settings are as before in the end."""
    settings = {"statement_timeout": str(_TIMEOUT), "lock_timeout": "1000", "plan_cache_mode": "force_generic_plan"}
    before = {name: await connection.fetchval("select pg_catalog.current_setting($1)", name) for name in settings}
    try:
        for name, value in settings.items():
            await connection.execute("select pg_catalog.set_config($1, $2, false)", name, value)
        yield
    finally:
        if not connection.is_closed():
            for name, value in before.items():
                await connection.execute("select pg_catalog.set_config($1, $2, false)", name, value)


async def _search(
    backend: Backend,
    pool: Pool,
    read: Read,
    statements: Sequence[Statement],
    budget: int | None,
    began: float,
    seconds: float,
) -> Report:
    made = {
        question.number: list(
            dict.fromkeys(
                one for use in read.uses[question.number] for one in pool.add(use, question.statement.arguments)
            )
        )
        for question in read.questions
    }
    base: dict[int, float] = {}
    questions: list[Question] = []
    skipped = dict(read.skipped)
    for question in read.questions:
        try:
            base[question.number] = (await backend.plan(question, frozenset())).cost
            questions.append(question)
        except Refused as error:
            skipped[question.number] = str(error)
    counts = weights(statements, base)
    questions = most_important(questions, counts, base)
    moves = await find(backend, read, questions, made, counts, began + seconds * _SHORTLIST)
    relevant = {one.number: moves.relevant(made[one.number]) for one in questions}
    problem = Problem(
        questions,
        counts,
        pool.bytes,
        Costs(backend, relevant),
        Writes(traffic(read, statements)),
        relevant,
        float("inf") if budget is None else budget,
        PAGE * sum({use.table.oid: use.table.pages for uses in read.uses.values() for use in uses}.values()),
        began + seconds,
    )
    chosen = await search(problem, moves.gains)
    advice = await report(problem, chosen, base, backend.verified)
    advice += await suggest(problem, chosen, made, moves.tried, read)
    return Report(advice, backend.verified, "", skipped)
