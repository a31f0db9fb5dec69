"""`export`: a result as COPY writes it, without Python ever seeing a row."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal

import anyio.to_thread
import msgspec

from galvo_memory.budgets import check
from galvo_memory.chunks.files import Gathered, Write, atomic
from galvo_memory.chunks.line import lines

Format = Literal["csv", "text", "binary"]


class Exported(msgspec.Struct, frozen=True):
    rows: int
    bytes: int


async def export(
    target: Any,
    sql: str,
    *args: Any,
    to: Any,
    format: Format = "csv",
    header: bool = True,
    timeout: float | None = None,
    **options: Any,
) -> Exported:
    """Write the result of `sql` to `to`: a path, a file open for bytes, or a coroutine function that takes bytes.

    A path's file is there whole or not at all: it is written beside it and renamed at the end. A file or a function
    keeps what it was given until an error. The server sends no faster than `to` takes it, so this needs a few MiB.
    `header` is for csv; `timeout` is in seconds for the whole; `options` are those of asyncpg's `copy_from_query`:
    delimiter, null, quote, escape, force_quote, encoding. `target` is that of `chunked`; it runs in a read-only
    transaction, and inside a `memory_budget` each piece is a checkpoint.

    Raises OSError with the path, ValueError, TypeError, NoConnection, what the database and `to` raise.

    >>> await export(kernel, "select * from orders where day >= $1", day, to="orders.csv")
    """
    if format not in Format.__args__:  # type: ignore[attr-defined]  # a Literal
        raise ValueError(f"format is csv, text or binary, not {format!r}")
    if format == "csv":
        options["header"] = header
    reach = lines(target)
    async with _sink(to) as write:
        gathered = Gathered(write)

        async def take(data: bytes) -> None:
            check()
            await gathered(data)

        async with reach() as line, line.snapshot():
            status = await line.drive(
                f"COPY ({sql}) TO STDOUT",
                (),
                lambda connection: connection.copy_from_query(
                    sql, *args, output=take, format=format, timeout=timeout, **options
                ),
                "stream",
            )
        await gathered.flush()
    return Exported(int(status.split()[-1]), gathered.total)


@asynccontextmanager
async def _sink(to: Any) -> AsyncIterator[Write]:
    if isinstance(to, str | os.PathLike):
        async with atomic(to) as write:
            yield write
    elif callable(getattr(to, "write", None)):
        write = to.write if inspect.iscoroutinefunction(to.write) else partial(anyio.to_thread.run_sync, to.write)
        yield partial(_whole, write)
    elif callable(to):
        yield to
    else:
        raise TypeError(f"to is a path, a file open for bytes or a coroutine function, not {to!r}")


async def _whole(write: Write, data: bytes) -> None:
    """An unbuffered file may take less than it is given, and says how much."""
    while data:
        taken = await write(data)
        if not isinstance(taken, int):
            return
        if not taken:
            raise OSError("the file given as `to` takes no more bytes")
        data = data[taken:]
