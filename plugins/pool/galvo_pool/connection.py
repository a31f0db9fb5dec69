"""One connection: how a query runs on it, and how it is cleaned before the next borrower."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import asyncpg

from galvo import Query, Rows
from galvo.errors import leave_open

T = TypeVar("T")

# What asyncpg's own reset leaves behind: a role, and temporary tables that would shadow real ones.
EXTRA_RESET = "SET SESSION AUTHORIZATION DEFAULT;\nDISCARD TEMP;\n"


class Connection(asyncpg.Connection):
    """asyncpg's, with a reset that leaves no trace of the borrower, in the same single round trip."""

    __slots__ = ()

    def get_reset_query(self) -> str:
        return EXTRA_RESET + str(super().get_reset_query())


def literals_of(raw: Any) -> tuple[object, ...]:
    """The settings by which the server reads a literal and which it reports when they change."""
    settings = raw._protocol.get_settings()  # also when it is closed
    return settings.TimeZone, settings.DateStyle, settings.IntervalStyle


async def run(connection: Any, query: Query) -> Rows:
    """Run `query` on an asyncpg connection, with asyncpg's meaning and exceptions."""
    if query.kind == "rows":
        if query.limit == 1:
            record = await connection.fetchrow(
                query.sql, *query.args, timeout=query.timeout, record_class=query.record_class
            )
            return Rows(() if record is None else (record,))
        return Rows(
            await connection.fetch(query.sql, *query.args, timeout=query.timeout, record_class=query.record_class)
        )
    if query.kind == "many":
        await connection.executemany(query.sql, query.args, timeout=query.timeout)
        return Rows()
    return Rows((), await connection.execute(query.sql, *query.args, timeout=query.timeout))


async def run_to_the_end(
    connection: Any, query: Query, raw: asyncpg.Connection, settle: Callable[[], Awaitable[None]]
) -> Rows:
    """`run`; an error comes out only when `settle` has waited for the server, and says if the outcome is open.

    `raw` is the connection itself, also when `connection` is asyncpg's proxy of it.
    """
    try:
        try:
            return await run(connection, query)
        except BaseException:
            await settle()
            raise
    except BaseException as error:  # a second cancellation, perhaps, and not the first
        if raw.is_closed():
            leave_open(error)
        raise


async def settled(connection: Any) -> None:
    """Wait until the server has ended a cancelled statement: until then its outcome is open."""
    protocol = connection._con._protocol if connection._con is not None else None
    if protocol is not None and protocol._is_cancelling():
        await finish(protocol._wait_for_cancellation(None))


async def opened() -> None:
    """Wait for connections that asyncpg still opens for a pool whose start has failed; it closes them at once."""
    opening = [
        task
        for task in asyncio.all_tasks()
        if getattr(task.get_coro(), "__qualname__", "") == "PoolConnectionHolder.connect"
    ]
    if opening:
        await finish(asyncio.wait(opening))


async def finish(work: Awaitable[T]) -> T:
    """Wait for `work` to end even if this task is cancelled meanwhile, repeatedly; then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):  # anyio repeats its cancellations at every turn of the loop
        while not task.done():
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError as error:
                if task.cancelled():
                    raise
                cancelled = error
            except Exception:  # noqa: BLE001, S110  # it is the task's own, and `result` raises it below
                pass
    if cancelled is not None:
        raise cancelled
    return task.result()
