"""Idle connections are closed when memory is short: little of this process's, megabytes each on the server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from galvo import Freed, Level

if TYPE_CHECKING:
    from galvo_pool.holder import Holder
    from galvo_pool.pool import Pool

log = logging.getLogger("galvo.pool")
IDLE = {Level.ELEVATED: 10.0, Level.HIGH: 1.0, Level.CRITICAL: 0.0}
"""Seconds without a statement after which one may go. Trials of the limit leave none idle for longer than a tick."""
PATIENCE = 2.0
"""Seconds for a goodbye; then it is cut."""
CONNECTION, STATEMENT, TLS = 8 << 10, 1900, 256 << 10
"""Bytes of this process that one takes, each prepared statement of it, and asyncio's buffer for encryption (traced with
asyncpg 0.32). What it keeps of the last large answer, up to a megabyte, cannot be seen."""


async def relieve(pools: Iterable[Pool], level: Level) -> Freed | None:
    """Close what is idle beyond `min_size`; what is lent, and how many may be busy, stays as it is."""
    rest = IDLE.get(level)
    if rest is None:
        return None
    going = [(pool, holder) for pool in pools for holder in withdrawn(pool, rest)]
    freed = sum(client_bytes(holder._con) for _, holder in going)
    try:
        await asyncio.gather(*(_close(holder._con) for _, holder in going), return_exceptions=True)
    finally:
        for pool, holder in going:
            pool._queue.put_nowait(holder)
    return Freed(freed, f"{len(going)} idle connection{'s' * (len(going) != 1)}") if going else None


def withdrawn(pool: Pool, rest: float) -> list[Holder]:
    """Those that may go, taken out of the pool: idle for `rest` seconds, beyond its least size."""
    if pool._queue is None or pool._closed or pool.is_closing():
        return []
    now, spare = pool._loop.time(), pool.get_size() - pool.get_min_size()
    found: list[Holder] = []
    for holder in pool._queue.idle():
        if len(found) >= spare or pool._queue.waiters:
            break
        if now - holder.idle_since >= rest and holder.is_connected() and pool._queue.withdraw(holder):
            found.append(holder)
    return found


async def _close(connection: Any) -> None:
    try:
        await connection.close(timeout=PATIENCE)
    except Exception as error:  # noqa: BLE001  # it is gone in any case, and its place is free
        log.debug("an idle connection was cut: %s", type(error).__name__)


def client_bytes(connection: Any) -> int:
    """What a connection takes in this process, at least."""
    encrypted = connection._transport.get_extra_info("sslcontext") is not None
    return CONNECTION + STATEMENT * len(connection._stmt_cache) + TLS * encrypted
