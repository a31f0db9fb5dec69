"""`max_size = "auto"`: as many connections as the server has for this process, asked again now and then.

How many of them are used is the limit's matter (`sizing.limit`).
"""

from __future__ import annotations

import logging
import os
import secrets
from typing import TYPE_CHECKING, Any

import asyncpg
import psutil

from galvo_pool.sizing import CEILING_SQL, LOCAL_SQL, Limit, ceiling, named, start_size

if TYPE_CHECKING:
    from galvo_pool.pool import Pool

log = logging.getLogger("galvo.pool")
AGAIN = 30.0
"""Seconds between two looks at what others use."""
USUAL = 10
MOST = 200
"""Connections of one process, whatever the server has."""
SHARE = 4
"""Backends on this machine may take a quarter of its memory."""


def begin(keywords: dict[str, Any]) -> bool:
    """Whether these keywords of a pool say "auto"; then they get a size to begin with, and a name to be counted by."""
    most = keywords.get("max_size")
    if isinstance(most, str) and most != "auto":
        raise TypeError(f'max_size is expected to be a number or "auto", got {most!r}')
    if most != "auto":
        return False
    least = max(keywords.get("min_size") or 0, keywords.get("init_size") or 0, 1)
    keywords["max_size"] = max(least, first_size())
    settings = dict(keywords.get("server_settings") or {})
    name = settings.get("application_name", "")
    settings["application_name"] = named("" if name == "galvo" else name, secrets.randbits(32))
    keywords["server_settings"] = settings
    return True


def first_size() -> int:
    """Busy connections to begin with."""
    return start_size(os.cpu_count() or 1, local=True)


def follow(pool: Pool) -> None:
    """Have the limit of a pool of fixed size follow the load, if there is anything to follow."""
    if pool.chained and not pool.auto and pool._maxsize > first_size():
        pool.load = Limit(1, pool._maxsize, min(pool._maxsize, max(10, first_size())))


class Growth:
    """Of one pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._next = 0.0
        self.why = ""
        """The ceiling, in a sentence."""

    def due(self, now: float) -> bool:
        """Whether it is time to look again; if so, somebody does."""
        if now < self._next:
            return False
        self._next = now + AGAIN
        return True

    async def measure(self) -> None:
        """Ask the server; one that does not tell (a proxy, perhaps) has room for USUAL."""
        pool = self._pool
        try:
            local = bool((await pool.ask(LOCAL_SQL))[0][0])
            row = (await pool.ask(CEILING_SQL))[0]
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("the server does not say how many connections it has (%s)", type(error).__name__)
            self.why = f"at most {USUAL} connections: the server does not say how many it has"
            self._next = pool._loop.time() + AGAIN
            pool.bound(max(USUAL, pool._maxsize))
            return
        memory = psutil.virtual_memory().total // SHARE if local else None
        found = ceiling(row, most=MOST, has=pool.get_size(), memory=memory)
        self.why = found.why
        self._next = pool._loop.time() + AGAIN
        most = max(found.most, pool._minsize, 1)
        pool.bound(most)
        if pool.load is None and pool.chained:
            pool.load = Limit(1, most, min(most, start_size(os.cpu_count() or 1, local=local)))
            pool._queue.limit = pool.load.value
        elif pool.load is not None:
            pool.load.bounds(1, most)
