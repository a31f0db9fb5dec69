"""What a pool raises besides asyncpg's exceptions."""

from __future__ import annotations

import asyncpg

AWAY = (
    OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)  # fmt: skip
"""What says that the server cannot be reached, or has just gone."""


class PoolBusy(asyncpg.InterfaceError, TimeoutError):
    """Too many wait for a connection already: this request was turned away at once, and nothing was sent.

    A TimeoutError, too: whoever handles a wait that was too long handles one that would be.
    """
