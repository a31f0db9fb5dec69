"""From a workload to the indexes that it lacks."""

from __future__ import annotations

import time
from collections.abc import Sequence

import asyncpg

from galvo_index.advise.advice import Advice
from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.candidates.pool import Pool
from galvo_index.advise.catalog.load import Catalog, start
from galvo_index.advise.parse.workload import Read, read_all
from galvo_index.advise.report import report
from galvo_index.advise.search.costs import Costs, Set
from galvo_index.advise.search.greedy import search
from galvo_index.advise.search.problem import Problem
from galvo_index.advise.search.shortlist import shortlist
from galvo_index.advise.search.traffic import traffic
from galvo_index.advise.search.weights import weights
from galvo_index.advise.search.writes import Writes
from galvo_index.advise.whatif.backend import Backend, Question, Refused
from galvo_index.advise.whatif.hypopg import HypoPG
from galvo_index.workload import Statement

SECONDS = 30.0
"""How long a search may take by default."""
_SHORTLIST = 0.4
"""Part of the time for finding out which candidates to look at."""


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
    began = time.monotonic()
    catalog = await start(connection)
    read = await read_all(connection, catalog, statements)
    backend = HypoPG(connection, catalog.hypopg or "")
    await backend.start()
    try:
        return await _advise(backend, catalog, read, statements, budget, began, seconds)
    finally:
        await backend.close()


async def _advise(
    backend: Backend,
    catalog: Catalog,
    read: Read,
    statements: Sequence[Statement],
    budget: int | None,
    began: float,
    seconds: float,
) -> list[Advice]:
    pool = Pool(catalog.trigrams)
    made: dict[int, list[Candidate]] = {}
    for question, reading in zip(read.questions, read.readings, strict=True):
        made[question.number] = list(
            dict.fromkeys(one for use in reading.uses for one in pool.add(use, question.statement.arguments))
        )
    possible = set(await backend.possible(dict.fromkeys(one for some in made.values() for one in some)))
    base: dict[int, float] = {}
    questions: list[Question] = []
    moves: dict[Set, None] = {}
    for question in read.questions:
        try:
            base[question.number] = (await backend.plan(question, frozenset())).cost
        except Refused:
            continue
        questions.append(question)
    for question in questions:
        own = [one for one in made[question.number] if one in possible]
        for found in await shortlist(backend, question, own, began + seconds * _SHORTLIST):
            moves[found] = None
            moves |= dict.fromkeys(frozenset([one]) for one in found)
    listed = {one for move in moves for one in move}
    relevant = {one.number: _relevant(made[one.number], listed) for one in questions}
    problem = Problem(
        questions,
        weights(statements, base),
        pool.bytes,
        Costs(backend, relevant),
        Writes(traffic(read, statements)),
        relevant,
        float("inf") if budget is None else budget,
        began + seconds,
    )
    chosen = await search(problem, list(moves))
    return await report(problem, chosen, base, backend.verified)


def _relevant(made: Sequence[Candidate], listed: set[Candidate]) -> Set:
    """Those of others too that begin with a key that this statement can use."""
    leads = {(one.table.oid, one.keys[0]) for one in made}
    return frozenset(one for one in listed if one in made or (one.table.oid, one.keys[0]) in leads)
