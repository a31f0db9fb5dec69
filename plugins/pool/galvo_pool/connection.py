"""One connection: how a query runs on it, and how it is cleaned before the next borrower."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable
from typing import Any, TypeVar

import anyio
import asyncpg

from galvo import Driven, Query, Rows, leave_open

T = TypeVar("T")
PLAIN = asyncpg.Connection

# A server that is gone without a word is noticed after 5 s + 3 * 2 s; by the defaults of Linux it takes hours.
PATIENCE = 10.0
"""Seconds."""
KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 11_000}


def keep_alive(connection: Any) -> None:
    """Have the system look, now and then, whether the server behind a silent TCP connection is still there."""
    own = connection._transport.get_extra_info("socket")
    if own is not None and own.family in (socket.AF_INET, socket.AF_INET6):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE.items():
            if hasattr(socket, name):  # not everywhere
                own.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def literals_of(raw: Any) -> tuple[object, ...]:
    """The settings by which the server reads a literal and which it reports when they change."""
    if raw._protocol is None:
        return ()  # it was terminated
    settings = raw._protocol.get_settings()  # also when it is closed
    return settings.TimeZone, settings.DateStyle, settings.IntervalStyle


async def run(raw: Any, query: Query) -> Rows:
    """Run `query` on an asyncpg connection, with asyncpg's meaning and exceptions, past the chain."""
    if type(query) is Driven:
        return Rows((await query.call(),))
    sql, args, timeout = query.sql, query.args, query.timeout
    if query.kind == "rows":
        if query.limit == 1:
            record = await PLAIN.fetchrow(raw, sql, *args, timeout=timeout, record_class=query.record_class)
            return Rows(() if record is None else (record,))
        return Rows(await PLAIN.fetch(raw, sql, *args, timeout=timeout, record_class=query.record_class))
    if query.kind == "many":
        await PLAIN.executemany(raw, sql, args, timeout=timeout)
        return Rows()
    return Rows((), await PLAIN.execute(raw, sql, *args, timeout=timeout))


async def run_to_the_end(raw: Any, query: Query, *, minded: bool) -> Rows:
    """`run`; its error says if the outcome is open.

    `minded`: somebody wants to know. Then an error comes out only when the server has ended the statement, or has not
    said so for `PATIENCE`.
    """
    try:
        return await run(raw, query)
    except AttributeError as error:
        if raw._protocol is not None:
            raise
        # It was terminated between two messages, and asyncpg goes on with a protocol that is no more.
        lost = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        _mark(raw, lost)
        raise lost from error
    except BaseException as error:
        try:
            if minded:
                await settled(raw)
        except BaseException as again:  # a second cancellation, perhaps, and not the first
            _mark(raw, again)
            raise
        _mark(raw, error)
        raise


def _mark(raw: Any, error: BaseException) -> None:
    if raw.is_closed() or raw._protocol._is_cancelling():
        leave_open(error)


async def settled(raw: Any) -> None:
    """Wait until the server has ended a cancelled statement; one that does not say so loses the connection."""
    protocol = raw._protocol
    if protocol is None or not protocol._is_cancelling():
        return
    try:
        await finish(asyncio.wait_for(protocol._wait_for_cancellation(None), PATIENCE))
    except TimeoutError:
        PLAIN.terminate(raw)


async def open_one(pool: Any) -> None:
    """Open one of the pool's connections, if there is one that is not open. Raises what connecting raises."""
    try:
        holder = pool._queue.get_disconnected_nowait()
    except asyncio.QueueEmpty:
        return  # somebody else is opening it
    try:
        if holder._con is not None:
            holder.terminate()
        await holder.connect()
    finally:
        pool._queue.put_nowait(holder)


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
