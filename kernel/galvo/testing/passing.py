"""Checks of what a layer of `on_query` hands on, in both directions."""

from __future__ import annotations

from collections.abc import Callable

from galvo.errors import GalvoError
from galvo.events import Computed, Query, Rows
from galvo.row import Row
from galvo.testing.base import Contract, for_hook
from galvo.testing.database import DatabaseError, bare
from galvo.testing.driving import Injected
from galvo.testing.stage import NUMBERS, Running, Stage, shown

LIMIT = 30.0
ERRORS = (DatabaseError, ConnectionResetError, TimeoutError, LookupError, ValueError)


class Passing(Contract):
    @for_hook("on_query")
    async def test_proceeds_once(self, stage: Stage) -> None:
        """No query is handed on twice, whatever becomes of it."""
        async with stage.running() as run:
            await every_kind(run)
            for error in ERRORS:
                run.witness.fails = _always(error("once"))
                await outcome(run, Query(stage.statement, (next(NUMBERS),)))
            twice = max(run.probe.proceeded, default=0)
            stage.ensure(
                twice < 2 and "`proceed` again" not in run.unit.last_fault,
                f"one query called `proceed` {twice} times",
                "Await `proceed` at most once and keep its answer; what failed may have been done",
            )

    @for_hook("on_query")
    async def test_hands_queries_on(self, stage: Stage) -> None:
        """What it hands to `proceed` is a query of the same kind, and no more patient than the caller."""
        async with stage.running() as run:
            await every_kind(run)
            stage.ensure(
                not run.faults()[0],
                f"it faults at ordinary queries: {run.faults()[1]}",
                "Hand on `query`, or `query.with_(...)`",
            )
            for query in run.witness.seen:
                stage.ensure(
                    isinstance(query, Query),
                    f"it hands a {type(query).__name__} to `proceed`",
                    "Hand on `query`, or `query.with_(...)`",
                )
            values = [query for query in run.witness.seen if isinstance(query, Query) and query.kind == "value"]
            stage.ensure(
                all(isinstance(query, Computed) for query in values),
                "it hands on a computed value without its `load`",
                "Hand on `query`, or `query.with_(...)`, which keep the type",
            )
            run.witness.forget()
            await run.kernel.fetch(stage.statement, next(NUMBERS), timeout=LIMIT)
            limits = [query.timeout for query in run.witness.seen if isinstance(query, Query) and not query.origin]
            stage.ensure(
                all(limit is not None and limit <= LIMIT for limit in limits),
                f"a query with a timeout of {LIMIT} s is handed on with {limits}",
                "Keep `query.timeout`, or shorten it",
            )

    @for_hook("on_query")
    async def test_session_kept(self, stage: Stage) -> None:
        """What an application runs in a session reaches the database in that session and in that order."""
        async with stage.running() as run:
            run.witness.forget()
            async with run.kernel.transaction() as session:
                await session.fetch(stage.statement, next(NUMBERS))
            inner = [query for query in run.witness.seen if isinstance(query, Query) and not query.origin]
            stage.ensure(
                all(query.session is session for query in inner),
                "a query in a transaction reaches the database outside of it",
                "Hand on `query`, or `query.with_(...)`, which keep the session",
            )
            words = [bare(query.sql).partition(" ")[0].upper() for query in inner]
            stage.ensure(
                words[:1] == ["BEGIN"] and words[-1:] == ["COMMIT"],
                f"of a transaction the database sees {words}",
                "Hand on BEGIN and COMMIT: only the database can answer them",
            )

    @for_hook("on_query")
    async def test_answers_unchanged(self, stage: Stage) -> None:
        """The caller gets all rows as they were, and it never changes what `proceed` gave: that is its maker's."""
        async with stage.running() as run:
            if not stage.is_database:
                await several_rows(run)
            await every_kind(run)
            for rows, looked in run.witness.answers:
                stage.ensure(
                    repr(rows) == looked,
                    f"it changed an answer from {looked:.100} to {rows!r:.100}",
                    "Make new Rows from a copy of the records",
                )

    @for_hook("on_query")
    async def test_database_errors(self, stage: Stage) -> None:
        """The caller gets the database's own error, the very object; it is no fault of the plugin."""
        async with stage.running() as run:
            faults = run.faults()
            for made in () if stage.is_database else ERRORS:
                error = made("from the database")
                run.witness.fails = _always(error)
                found = await outcome(run, Query(stage.statement, (next(NUMBERS),)))
                stage.ensure(
                    found is error,
                    f"instead of the database's {shown(error)}, the caller gets {said(found)}",
                    "Let errors of `proceed` through, unchanged and unwrapped",
                )
                run.witness.fails = lambda query: None
                await run.ask(f"after {shown(error)}")
            found = await outcome(run, Query(stage.failing))
            stage.ensure(
                isinstance(found, Exception) and not isinstance(found, GalvoError) and found is run.witness.error,
                f"at {stage.failing!r} the caller gets {said(found)}, the database said {said(run.witness.error)}",
                "Let errors of `proceed` through, unchanged and unwrapped",
            )
            stage.ensure(
                run.faults() == faults,
                f"an error of the database is counted as its fault: {run.faults()[1]}",
                "Let errors of `proceed` through, unchanged and unwrapped",
            )

    @for_hook("on_query")
    async def test_own_faults(self, stage: Stage) -> None:
        """Whatever its hook itself awaits may fail: no query loses its answer, and none runs twice."""
        if stage.is_database:
            return  # nobody can go round it: its errors are the database's
        async with stage.running() as run:
            run.probe.arm("on_query")
            await run.ask("at first")
            awaits = run.probe.disarm()
            for turn in stage.some(awaits, 12):
                run.witness.forget()
                run.probe.arm("on_query", turn, Injected)
                await run.ask(f"with a fault at await {turn} of on_query")
                run.probe.disarm()
                stage.ensure(
                    run.witness.runs < 2,
                    f"with a fault at await {turn} of on_query, a query ran {run.witness.runs} times",
                    "Send nothing by `context` that the application has asked for",
                )
                await run.ask(f"after a fault at await {turn} of on_query")

    async def test_own_queries_fail(self, stage: Stage) -> None:
        """Whatever it asks the database itself may fail: the application's queries keep their answers."""
        async with stage.running(on=False) as run:
            run.witness.fails = lambda query: ConnectionResetError("lost") if query.origin == run.name else None
            try:
                await run.kernel.enable(run.name)
            except GalvoError:
                await run.own_tasks_end("after a start without a database", "Release in a `finally`")
                return
            for _ in range(3):
                await run.ask("while its own queries fail")
            run.witness.fails = lambda query: None
            await run.ask("after its own queries failed")


async def several_rows(run: Running) -> None:
    """Three different ones, one of them NULL, for a first and a second caller."""
    number = next(NUMBERS)
    given = [number, None, number + 1]
    run.witness.gives = lambda query: None if query.origin else Rows([Row(("n",), (value,)) for value in given])
    for _ in range(2):
        rows = await run.kernel.fetch(run.stage.statement, number)
        run.stage.ensure(
            [tuple(row) for row in rows] == [(value,) for value in given],
            f"of three rows the caller gets {rows!r:.100}",
            "Hand out all rows, in their order",
        )
    run.witness.gives = lambda query: None


def _always(error: Exception) -> Callable[[Query], Exception | None]:
    """Every query of the application fails by it."""
    return lambda query: None if query.origin else error


async def every_kind(run: Running) -> None:
    """One query of each kind, in a session and without one, all of them twice."""
    try:
        for number in (same := next(NUMBERS), same):
            await run.ask("as usual", number)
            await _kinds(run, number)
    except Exception as error:  # noqa: BLE001  # whatever an ordinary query ends in
        run.stage.fail(f"an ordinary query ends in {shown(error)}", "Hand on `query`, or `query.with_(...)`")


async def _kinds(run: Running, number: int) -> None:
    sql = run.stage.statement
    await run.kernel.fetchrow(sql, number)
    await run.kernel.fetchval(sql, number)
    await run.kernel.execute(sql, number)
    await run.kernel.executemany(sql, [(number,), (number + 1,)])
    value = await run.kernel.cached(f"kit:{number}", _computed)
    run.stage.ensure(value == 7, f"a computed value of 7 came out as {value!r}", "Let its answer through")
    async with run.kernel.acquire() as session:
        await session.fetch(sql, number)


async def _computed() -> int:
    return 7


async def outcome(run: Running, query: Query) -> object:
    """The rows or the error."""
    try:
        return (await run.kernel.run(query)).records
    except Exception as error:  # noqa: BLE001  # it is what is asked for
        return error


def said(found: object) -> str:
    return shown(found) if isinstance(found, BaseException) else f"the answer {found!r:.100}"
