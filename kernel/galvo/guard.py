"""One layer of `on_query`: what a plugin may do wrong, and what the caller sees of it.

A fault before `proceed` goes round the plugin; a fault after it hands out the finished answer; `proceed` runs
once; the inner layers' own errors pass unchanged, also when the plugin buried them. So a broken plugin never
loses a query, and never makes one run twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from galvo.errors import ProceedTwice
from galvo.events import Query, Rows
from galvo.hookspecs import Proceed

if TYPE_CHECKING:
    from galvo.chain import Owner

Around = Callable[[Query, Proceed], Awaitable[Rows]]


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
        self.state = "running"
        try:
            self.rows = rows = await self.inner(query)
        except BaseException as error:
            self.state = "failed"
            self.error = error
            raise
        self.state = "answered"
        return rows


def strict(owner: Owner, function: Around, inner: Proceed) -> Proceed:
    """`on_error = "raise"`: whatever the plugin raises reaches the caller."""

    async def layer(query: Query) -> Rows:
        return await function(query, Step(owner.name, inner))

    return layer


def guarded(owner: Owner, function: Around, inner: Proceed) -> Proceed:
    """`on_error = "skip"` or `"eject"`: the query survives the plugin."""

    async def layer(query: Query) -> Rows:
        step = Step(owner.name, inner)
        try:
            rows = await function(query, step)
        except Exception as fault:  # noqa: BLE001  # cancellation is a BaseException and passes
            return await recover(owner, step, query, fault)
        if step.error is None and type(rows) is Rows:
            return rows
        return await settle(owner, step, query, rows)

    return layer


def shadowed(owner: Owner, function: Around, inner: Proceed) -> Proceed:
    """`mode = "shadow"`: the plugin runs, its answer is compared, and the caller gets the inner one."""

    async def layer(query: Query) -> Rows:
        step = Step(owner.name, inner)
        try:
            rows = await function(query, step)
        except Exception as fault:  # noqa: BLE001  # a shadow never harms
            return await recover(owner, step, query, fault)
        if step.state == "answered" and step.rows is not None:
            answer = step.rows
        elif step.state == "fresh":
            step.state = "closed"
            answer = await inner(query)
        else:
            return await settle(owner, step, query, rows)
        owner.compared(same(rows, answer))
        return answer

    return layer


async def recover(owner: Owner, step: Step, query: Query, fault: Exception) -> Rows:
    """What the caller gets when the plugin raised."""
    error, step.error = step.error, None  # no reference cycle through its traceback
    if isinstance(error, Exception):
        if fault is not error:
            owner.fault("on_query", fault)
        raise error
    owner.fault("on_query", fault)
    if step.rows is not None:
        return step.rows
    if step.state == "fresh":
        step.state = "closed"
        return await step.inner(query)
    raise fault  # the query was started and its outcome is unknown: it is not run again


async def settle(owner: Owner, step: Step, query: Query, rows: object) -> Rows:
    """What the caller gets when the plugin buried an error or returned something else than rows."""
    if isinstance(step.error, Exception):
        error, step.error = step.error, None
        raise error
    if type(rows) is Rows:
        return rows  # it cancelled `proceed` itself, by a timeout of its own, and has an answer
    kind = type(rows).__name__
    return await recover(owner, step, query, TypeError(f"on_query must return Rows, not {kind}"))


def same(left: object, right: Rows) -> bool:
    """Equal answers, whatever sequence holds them."""
    return (
        isinstance(left, Rows) and left.status == right.status and list(left.records) == list(right.records)
    )
