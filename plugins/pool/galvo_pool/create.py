"""`create_pool`: the one line that an asyncpg application changes."""

from __future__ import annotations

from typing import Any, Literal

import asyncpg

from galvo import Kernel
from galvo_pool.chained import ChainedPool


def create_pool(
    dsn: Any = None,
    *,
    kernel: Any = ...,
    min_size: int = 10,
    max_size: int | Literal["auto"] = 10,
    max_queries: int = 50000,
    max_inactive_connection_lifetime: float = 300.0,
    loop: Any = None,
    connection_class: type[asyncpg.Connection] = asyncpg.Connection,
    record_class: type[asyncpg.Record] = asyncpg.Record,
    **keywords: Any,
) -> ChainedPool:
    """asyncpg.create_pool's signature, meaning and defaults; use it with `async with` or `await`.

    `kernel`: through whose chain all statements travel, those of lent connections too: one that does not run yet, and
    then lives as long as the pool; by default one made from the settings of the working directory; None for none.
    `max_size` may be "auto": what the server has for this process, shared with others of the same application_name.
    Further keywords are those of `Options`, all others go to asyncpg.connect. Raises what asyncpg.create_pool does.
    """
    return ChainedPool(
        dsn,
        kernel=Kernel.from_settings() if kernel is ... else kernel,
        min_size=min_size,
        max_size=max_size,
        max_queries=max_queries,
        max_inactive_connection_lifetime=max_inactive_connection_lifetime,
        loop=loop,
        connection_class=connection_class,
        record_class=record_class,
        **keywords,
    )
