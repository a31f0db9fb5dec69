"""One layer of `on_query`: what a plugin may do wrong, and what the caller sees of it.

A fault before `proceed` goes round the plugin; a fault after it hands out the finished answer; `proceed` runs
once; the inner layers' own errors pass unchanged, also when the plugin buried them, unless the query's `stale_ok`
lets it answer with what it still has. So a broken plugin never loses a query, and never makes one run twice. A plugin
that means its error raises `ForCaller`. With `on_error = "raise"` the caller sees every fault instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, ParamSpec, Protocol, TypeVar, cast

import anyio
import msgspec

from galvo.errors import ForCaller, NoBackend, ProceedTwice, is_open, leave_open
from galvo.events import Query, Rows
from galvo.hookspecs import Proceed

if TYPE_CHECKING:
    from galvo.chain import Owner

Around = Callable[[Query, Proceed], Awaitable[Rows]]
P = ParamSpec("P")
T = TypeVar("T")


class Step(msgspec.Struct):
    """The `proceed` of one call of one layer; remembers what came of it."""

    plugin: str
    inner: Proceed
    state: Literal["fresh", "running", "answered", "failed", "closed"] = "fresh"
    rows: Rows | None = None
    error: BaseException | None = None

    async def __call__(self, query: Query) -> Rows:
        if self.state != "fresh":
            raise ProceedTwice(self.plugin, "called `proceed` again; await it once and keep its answer")
        try:
            _ = query.sql  # the cheapest look that tells what is no query, for which the inner layers would be blamed
        except AttributeError:
            raise TypeError(f"`proceed` takes a Query, not {type(query).__name__}") from None
        self.state = "running"
        try:
            self.rows = rows = await self.inner(query)
        except BaseException as error:
            self.state = "failed"
            self.error = error
            raise
        self.state = "answered"
        return rows


class Running(Protocol):
    """How many layers run on one generation of chains; `idle` is set when a retired one has none left.

    The layers count themselves: a coroutine round the chain that did it would cost each cache hit a tenth.
    """

    calls: int
    retired: bool
    idle: anyio.Event


def guarded(owner: Owner, function: Around, inner: Proceed, running: Running) -> Proceed:
    """`mode = "active"`: the query survives the plugin, unless `on_error = "raise"` wants its faults seen."""

    name = owner.name

    async def layer(query: Query) -> Rows:
        step = Step(name, inner)
        running.calls += 1
        try:  # counted to the very end: going round this layer, it is the inner ones that must not stop
            try:
                rows = await function(query, step)
            except Exception as fault:  # noqa: BLE001  # cancellation is a BaseException and passes
                return await recover(owner, step, query, fault)
            if step.error is None and type(rows) is Rows:
                return rows
            return await settle(owner, step, query, rows)
        finally:
            running.calls -= 1
            if running.retired and not running.calls:
                running.idle.set()

    return layer


def shadowed(owner: Owner, function: Around, inner: Proceed, running: Running) -> Proceed:
    """`mode = "shadow"`: the plugin runs, its answer is compared, and the caller gets the inner one.

    The plugin has a task of its own and only waits for the query, which it can neither change nor cancel.
    """

    async def observed(query: Query) -> Rows:
        asked, done = anyio.Event(), anyio.Event()
        real = Step(owner.name, inner)

        async def proceed(_: Query) -> Rows:
            asked.set()
            await done.wait()
            if isinstance(real.error, Exception):
                raise real.error
            return cast("Rows", real.rows)

        async def shadow() -> None:
            try:
                rows = await function(query, Step(owner.name, proceed))
                answer = await proceed(query)
                owner.compared(same(rows, answer))
            except Exception as fault:  # noqa: BLE001  # a shadow never harms
                if cause(fault) is not real.error:
                    owner.fault("on_query", fault)
            finally:
                asked.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shadow)
            await asked.wait()
            with suppress(Exception):  # kept in `real`: a task group would wrap it
                await real(query)
            done.set()
        error, real.error = real.error, None
        if error is None:
            return cast("Rows", real.rows)
        try:
            raise error
        finally:
            del error

    return counted(observed, running)


def counted(call: Callable[P, Awaitable[T]], running: Running) -> Callable[P, Awaitable[T]]:
    """`call`, counted as running; `guarded` does the same in place, for a cache hit's sake."""

    async def count(*args: P.args, **kwargs: P.kwargs) -> T:
        running.calls += 1
        try:
            return await call(*args, **kwargs)
        finally:
            running.calls -= 1
            if running.retired and not running.calls:
                running.idle.set()

    return count


async def recover(owner: Owner, step: Step, query: Query, fault: Exception) -> Rows:
    """What the caller gets when the plugin raised."""
    error, step.error = step.error, None
    try:
        if isinstance(error, Exception):
            if cause(fault) is not error:
                owner.fault("on_query", fault)
            raise error
        if owner.on_error == "raise" and step.state == "fresh":
            step.state = "closed"
            raise fault  # most likely the database's own error, from the plugin that runs the queries
        if isinstance(fault, ForCaller) and step.state == "fresh":
            step.state = "closed"
            raise fault.error
        owner.fault("on_query", fault)
        if owner.on_error != "raise":
            if step.rows is not None:
                return step.rows
            if step.state == "fresh":
                step.state = "closed"
                try:
                    return await step.inner(query)
                except NoBackend as nobody:
                    if nobody.__cause__ is not None:
                        raise
                    text = f"plugin {owner.name!r} faulted in on_query, and no plugin after it runs SQL"
                    raise NoBackend(text) from fault
        if step.state == "running" or (error is not None and is_open(error)):
            leave_open(fault)
        step.state = "closed"
        raise fault  # wanted, or the query was started and its outcome is unknown: it is not run again
    finally:
        del error, fault  # their tracebacks hold this frame: no reference cycle


async def settle(owner: Owner, step: Step, query: Query, rows: object) -> Rows:
    """What the caller gets when the plugin buried an error or returned something else than rows."""
    if isinstance(step.error, Exception):
        if query.stale_ok is not None and type(rows) is Rows:
            step.error = None
            return rows
        return await recover(owner, step, query, step.error)
    if type(rows) is Rows:
        return rows  # it cancelled `proceed` itself, by a timeout of its own, and has an answer
    kind = type(rows).__name__
    return await recover(owner, step, query, TypeError(f"on_query must return Rows, not {kind}"))


def cause(error: Exception) -> Exception:
    """`error` itself, or what the plugin's own task group wrapped."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def same(left: object, right: Rows) -> bool:
    """Equal answers, whatever sequence holds them."""
    return isinstance(left, Rows) and left.status == right.status and list(left.records) == list(right.records)
