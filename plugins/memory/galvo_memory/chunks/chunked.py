"""`chunked`: a large result in pieces that fit, whatever its rows weigh."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from types import TracebackType
from typing import Any, TypeAlias

from galvo.sizes import parse
from galvo_memory.budgets import check
from galvo_memory.chunks.batches import Batches, cursor
from galvo_memory.chunks.errors import NotEntered
from galvo_memory.chunks.line import lines, owned
from galvo_memory.chunks.measure import sizes, total
from galvo_memory.chunks.pace import Pace
from galvo_memory.chunks.pages import Pages

Chunk: TypeAlias = "list[Any]"


def chunked(
    target: Any, sql: str, *args: Any, max_bytes: int | str = "8MiB", keyset: str | Sequence[str] | None = None
) -> Chunks:
    """The rows of `sql`, complete and in order, as lists that together with the next one being read fit `max_bytes`.

    `target`: the kernel, a session, a pool of galvo or asyncpg, or a connection. Through a kernel the statement travels
    the chain, past the cache. A chunk's size follows that of its rows: the first chunk is a few rows; a row that is too
    large comes alone. Rows are measured after they have come, so a batch (a quarter of a chunk, at most 2,000 rows)
    that is larger than all before may exceed `max_bytes`.

    Without `keyset` it is a cursor: one snapshot, in a read-only transaction that is open until the last chunk was
    read, and keeps vacuum from removing what has died since. With `keyset`, columns of the result that are never null
    and by which a unique index exists, it is pages ordered by them: nothing stays open, however long you take, and
    rows that change meanwhile are seen or not.

    To stop early, leave the loop; the connection goes back as soon as the iterator is dropped, or at once if the loop
    is inside an `async with` of it. A cursor on your own connection or session, unless in a transaction of yours, must
    be inside one: only that ends its transaction before your next statement. Inside a `memory_budget` each chunk is a
    checkpoint.

    Raises ValueError for what is no size, TypeError for another target, KeysetUnusable, NoConnection, NotEntered, what
    the database raises: a result never ends early without an error.

    >>> async for orders in chunked(kernel, "select * from orders where day >= $1", day):
    ...     await invoice(orders)
    """
    limit, reach = parse(max_bytes), lines(target)
    if keyset is None:
        return Chunks(_read(cursor(reach, sql, args), limit), target if owned(target) else None)
    keys = (keyset,) if isinstance(keyset, str) else tuple(keyset)
    if not keys:
        raise ValueError("keyset names no column: give those that tell rows apart, or None for a cursor")
    return Chunks(_read(nullcontext(Pages(reach, sql, args, keys)), limit))


class Chunks(AsyncIterator[Chunk]):
    """What `chunked` gives."""

    def __init__(self, chunks: AsyncGenerator[Chunk, None], borrowed: Any = None) -> None:
        self._chunks = chunks
        self._borrowed = borrowed
        """Whose transaction must have ended when the loop is left; a generator that is dropped closes later."""

    async def __anext__(self) -> Chunk:
        if self._borrowed is not None and not self._borrowed.is_in_transaction():
            raise NotEntered(
                "a cursor on your own connection needs `async with chunked(...) as chunks:` around its loop, as "
                "leaving the loop early would leave its read-only transaction open; or give the kernel, a pool, keyset"
            )
        self._borrowed = None
        return await self._chunks.__anext__()

    async def aclose(self) -> None:
        """Close what is open on the server, and give the connection back."""
        await self._chunks.aclose()

    async def __aenter__(self) -> Chunks:
        self._borrowed = None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def _read(source: AbstractAsyncContextManager[Batches], limit: int) -> AsyncGenerator[Chunk, None]:
    most = max(1, limit // 2)  # while one chunk is worked on, the next one is read
    pace = Pace(most)
    rows: Chunk = []
    size = 0
    first = True
    async with source as batches:
        while batch := await batches.next(pace.rows):
            check()
            weight = total(batch)
            pace.saw(len(batch), weight)
            if size + weight <= most:
                rows += batch
                size += weight
            else:
                for row, own in zip(batch, sizes(batch), strict=True):
                    if rows and size + own > most:
                        yield rows
                        rows, size = [], 0
                    rows.append(row)
                    size += own
            if first:  # whoever waits for it can begin
                yield rows
                rows, size, first = [], 0, False
    if rows:
        yield rows
