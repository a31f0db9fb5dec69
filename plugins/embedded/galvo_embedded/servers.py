"""The servers of one data folder, as a program uses them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from galvo import PluginError
from galvo_embedded.refusal import Refused

if TYPE_CHECKING:
    from galvo_embedded.share import Share


class Servers:
    """A private PostgreSQL and a private Redis below `data`, each started when first asked for.

    All processes that name the same folder share them; they stop with the last one, however it ends.
    `postgres` is the major version, `options` are PostgreSQL settings; those of whoever starts it hold.
    Raises PluginError when servers cannot run here.
    """

    start_seconds: float = 60
    """How long a server may take until it answers."""

    def __init__(
        self,
        data: Path,
        *,
        postgres: int = 18,
        options: Mapping[str, str] | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        if sys.platform == "win32":
            raise PluginError("embedded", "servers run on Linux and macOS only: configure their URLs instead")
        # Imported late because they need POSIX.
        from galvo_embedded import binaries, paths
        from galvo_embedded.account import server_account
        from galvo_embedded.share import Share

        try:
            account = server_account()
        except Refused as refusal:
            raise PluginError("embedded", str(refusal)) from None
        self.home = home = paths.place(data, account)
        self._note = "" if home == paths.asked(data) else f" (user id {account.uid} cannot get to {data})"
        self._log = log or logging.getLogger("galvo.embedded")
        self.versions: dict[str, str] = {}
        """Of the servers that were asked for, by title."""
        words = tuple(f"{name}={value}" for name, value in (options or {}).items())
        self._postgres = Share("PostgreSQL", home / f"postgres-{postgres}", account, self.start_seconds, words)
        self._redis = Share("Redis", home / "redis", account, self.start_seconds)
        self._postgres_programs = lambda: binaries.postgres_programs(postgres, account)
        self._redis_programs = lambda: binaries.redis_programs(account)

    async def postgres(self) -> str:
        """A DSN for asyncpg. Starts PostgreSQL when it does not run. Raises PluginError."""
        return await to_thread.run_sync(self._open, self._postgres, self._postgres_programs)

    async def redis(self) -> str:
        """A URL for redis-py. Starts Redis when it does not run. Raises PluginError."""
        return await to_thread.run_sync(self._open, self._redis, self._redis_programs)

    async def again(self) -> list[str]:
        """Start those again that were asked for and have ended; their names. They are where they were, unless
        somebody has removed their sockets' folder meanwhile. Raises PluginError.
        """
        known = ((self._postgres, self._postgres_programs), (self._redis, self._redis_programs))
        lost = [(share, programs) for share, programs in known if share.lost()]
        for share, programs in lost:
            await to_thread.run_sync(self._open, share, programs)
        return [share.title for share, _ in lost]

    def close(self) -> None:
        """Stop using them, which stops them when nobody else does; twice is fine."""
        self._postgres.close()
        self._redis.close()

    def _open(self, share: Share, programs: Callable[[], Path]) -> str:
        try:
            found = share.open(programs)
        except Refused as refusal:
            raise PluginError("embedded", str(refusal)) from None
        if share.title not in self.versions:
            self.versions[share.title] = found.version
            text = "no URL configured: using embedded %s %s in %s%s"
            self._log.info(text, share.title, found.version, share.folder, self._note)
        return found.url
