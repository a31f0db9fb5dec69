"""What the model in test_chain_properties.py leaves out: tasks, leaked `proceed`s, shadows, references."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from galvo import Kernel, Plugin, ProceedTwice, Query, Rows, hookimpl, is_open, leave_open
from galvo.chain import Chains, Implementation, around
from galvo.hookspecs import KINDS

pytestmark = pytest.mark.anyio
Proceed = Callable[[Query], Awaitable[Rows]]
ANSWER = Rows(("database",))


class Owner:
    name = "p"

    def __init__(self, mode: str = "active", on_error: str = "skip") -> None:
        self.mode = mode
        self.on_error = on_error
        self.faults: list[Exception] = []
        self.verdicts: list[bool] = []

    def fault(self, hook: str, error: Exception) -> None:
        self.faults.append(error)

    def compared(self, same: bool) -> None:
        self.verdicts.append(same)


class Database:
    """Counts its runs; with a gate it waits there, so that a test decides what happens meanwhile."""

    def __init__(self, error: Exception | None = None, gate: bool = False) -> None:
        self.queries: list[Query] = []
        self.error = error
        self.reached = anyio.Event()
        self.gate = anyio.Event()
        if not gate:
            self.gate.set()

    async def run(self, query: Query) -> Rows:
        self.queries.append(query)
        self.reached.set()
        await self.gate.wait()
        if self.error:
            raise self.error
        return ANSWER


def onion(owner: Owner, function: Any, database: Database) -> Proceed:
    return around([Implementation(owner, function)], database.run, Chains({hook: [] for hook in KINDS}))


async def test_a_second_proceed_while_the_first_runs_is_refused() -> None:
    refused: list[ProceedTwice] = []
    database, owner = Database(gate=True), Owner()

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        async def second() -> None:
            await database.reached.wait()
            with pytest.raises(ProceedTwice) as caught:
                await proceed(query)
            refused.append(caught.value)
            database.gate.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(second)
            return await proceed(query)

    assert await onion(owner, on_query, database)(Query("q")) is ANSWER
    assert len(database.queries) == 1
    assert refused[0].plugin == "p"
    assert owner.faults == []


async def test_a_refusal_that_cancels_the_first_run_is_not_made_good_by_another_run() -> None:
    database, owner = Database(gate=True), Owner()

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(proceed, query)
            await database.reached.wait()
            await proceed(query)
        return ANSWER

    with pytest.raises(ExceptionGroup):
        await onion(owner, on_query, database)(Query("insert"))
    assert len(database.queries) == 1
    assert len(owner.faults) == 1


async def test_a_proceed_kept_for_later_cannot_run_the_query_again() -> None:
    kept: list[Proceed] = []

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        kept.append(proceed)
        raise ValueError("before")

    for on_error in ("skip", "raise"):
        database, owner = Database(), Owner(on_error=on_error)
        call = onion(owner, on_query, database)
        if on_error == "skip":
            assert await call(Query("insert")) is ANSWER
        else:
            with pytest.raises(ValueError, match="before"):
                await call(Query("insert"))
        runs = len(database.queries)
        with pytest.raises(ProceedTwice):
            await kept.pop()(Query("insert"))
        assert len(database.queries) == runs


async def test_a_timeout_that_hides_an_open_outcome_says_so() -> None:
    """Else a cache further out would believe that the write has ended."""

    async def run(query: Query) -> Rows:
        try:
            await anyio.lowlevel.checkpoint()
        except BaseException as cancelled:
            if query.sql == "open":
                leave_open(cancelled)
            raise
        raise AssertionError

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await proceed(query)
        raise TimeoutError

    call = around([Implementation(Owner(), on_query)], run, Chains({hook: [] for hook in KINDS}))
    for sql in ("open", "ended"):
        with pytest.raises(TimeoutError) as caught:
            await call(Query(sql))
        assert is_open(caught.value) is (sql == "open")


async def test_an_error_wrapped_by_the_plugins_own_task_group_is_no_fault() -> None:
    failure = KeyError("unique")
    database, owner = Database(failure), Owner(on_error="eject")

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        async with anyio.create_task_group():
            return await proceed(query)

    with pytest.raises(KeyError) as caught:
        await onion(owner, on_query, database)(Query("q"))
    assert caught.value is failure
    assert owner.faults == []


async def test_a_strict_layer_still_lets_the_databases_errors_win() -> None:
    failure = KeyError("unique")
    database, owner = Database(failure), Owner(on_error="raise")

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        try:
            return await proceed(query)
        except KeyError:
            return Rows()

    with pytest.raises(KeyError) as caught:
        await onion(owner, on_query, database)(Query("q"))
    assert caught.value is failure


@pytest.mark.parametrize("on_error", ["skip", "raise"])
async def test_a_layer_may_answer_instead_of_the_database_where_the_query_takes_stale_answers(on_error: str) -> None:
    failure, older = KeyError("lost"), Rows(("older",))

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        try:
            return await proceed(query)
        except KeyError:
            return older if query.sql == "known" else None  # type: ignore[return-value]

    owner = Owner(on_error=on_error)
    call = onion(owner, on_query, Database(failure))
    assert await call(Query("known", stale_ok=5.0)) is older
    for query in (Query("known"), Query("unknown", stale_ok=5.0)):
        with pytest.raises(KeyError) as caught:
            await call(query)
        assert caught.value is failure
    assert owner.faults == []


async def test_a_strict_layer_that_returns_something_else_is_named() -> None:
    async def on_query(query: Query, proceed: Proceed) -> None:
        await proceed(query)

    owner = Owner(on_error="raise")
    with pytest.raises(TypeError, match="on_query must return Rows, not NoneType"):
        await onion(owner, on_query, Database())(Query("q"))
    assert len(owner.faults) == 1


async def test_errors_and_answers_are_not_kept_alive_by_the_layers() -> None:
    class Failure(Exception):
        pass

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        try:
            return await proceed(query)
        except Failure:
            return Rows()

    failure = Failure()
    seen = weakref.ref(failure)
    database = Database(failure)
    call = onion(Owner(), on_query, database)
    database.error = None
    gc.disable()
    try:
        database.error, failure = failure, None  # type: ignore[assignment]
        with suppress(Failure):
            await call(Query("q"))
        database.error = None
        assert seen() is None, "the error is part of a reference cycle"
    finally:
        gc.enable()


# -- shadow -------------------------------------------------------------------------------------------


async def shadow(function: Any, database: Database, query: str = "q") -> tuple[Owner, Rows]:
    owner = Owner("shadow", "raise")
    return owner, await onion(owner, function, database)(Query(query))


async def test_a_shadow_cannot_change_the_query() -> None:
    async def on_query(query: Query, proceed: Proceed) -> Rows:
        return await proceed(query.with_(sql="drop table material"))

    database = Database()
    owner, rows = await shadow(on_query, database, "select 1")
    assert rows is ANSWER
    assert [query.sql for query in database.queries] == ["select 1"]
    assert owner.verdicts == [True]


async def test_a_shadows_timeout_cannot_cancel_the_query() -> None:
    database = Database(gate=True)

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(proceed, query)
                await database.reached.wait()
                scope.cancel()
        database.gate.set()
        raise TimeoutError("mine")

    owner, rows = await shadow(on_query, database)
    assert rows is ANSWER
    assert len(database.queries) == 1
    assert [str(fault) for fault in owner.faults] == ["mine"]


async def test_a_shadow_that_returns_early_runs_the_query_once() -> None:
    database = Database()

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(proceed, query)
            await database.reached.wait()
            tasks.cancel_scope.cancel()
        return Rows(("early",))

    owner, rows = await shadow(on_query, database)
    assert rows is ANSWER
    assert len(database.queries) == 1
    assert owner.verdicts == [False]


async def test_answers_that_cannot_be_compared_harm_nobody() -> None:
    class Array:
        def __eq__(self, other: object) -> bool:
            raise ValueError("truth value of an array is ambiguous")

        __hash__ = None  # type: ignore[assignment]

    class Arrays(Database):
        async def run(self, query: Query) -> Rows:
            return Rows((Array(),))

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        return Rows((Array(),))

    owner, rows = await shadow(on_query, Arrays())
    assert isinstance(rows.records[0], Array)
    assert len(owner.faults) == 1


async def test_equal_answers_in_other_containers_agree_and_other_status_does_not() -> None:
    async def lists(query: Query, proceed: Proceed) -> Rows:
        return Rows(["database"])

    async def status(query: Query, proceed: Proceed) -> Rows:
        return Rows(("database",), "SELECT 1")

    assert (await shadow(lists, Database()))[0].verdicts == [True]
    assert (await shadow(status, Database()))[0].verdicts == [False]


async def test_a_cancelled_caller_cancels_query_and_shadow() -> None:
    database = Database(gate=True)
    ended: list[str] = []

    async def on_query(query: Query, proceed: Proceed) -> Rows:
        try:
            return await proceed(query)
        finally:
            ended.append("shadow")

    owner = Owner("shadow")
    call = onion(owner, on_query, database)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, Query("q"))
        await database.reached.wait()
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert ended == ["shadow"]
    assert owner.faults == []


async def test_what_is_no_query_is_the_fault_of_who_hands_it_on() -> None:
    class Mistaken(Plugin):
        name = "mistaken"

        @hookimpl
        async def on_query(self, query: Query, proceed: Any) -> Rows:
            rows: Rows = await proceed(query.sql)
            return rows

    class Innocent(Plugin):
        name = "innocent"

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            return Rows((query.sql,))

    async with Kernel.of({Mistaken: {}, Innocent: {}}) as kernel:
        units = kernel.supervisor.units
        assert await kernel.fetch("select 1") == ["select 1"]
        assert [unit.faults for unit in units.values()] == [1, 0]
        assert units["mistaken"].last_fault == "on_query: TypeError: `proceed` takes a Query, not str"
        with pytest.raises(TypeError, match="`run` takes a Query, not str"):
            await kernel.run("select 1")  # type: ignore[arg-type]  # what the test is about
        assert [unit.faults for unit in units.values()] == [1, 0]
