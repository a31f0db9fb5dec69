"""Hears of outside writes by NOTIFY, on a connection of its own, and says when it may have missed one.

The notification arrives after the commit is visible, 0.4 to 2 ms later on an idle machine, and is acted upon when
the event loop gets to it: for that long an answer from before the write may still be served. A connection that
died without a word is noticed within `beat + timeout` seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import anyio

from galvo import GalvoError
from galvo_cache.external.triggers import CHANNEL

if TYPE_CHECKING:
    import asyncpg

LONGEST_WAIT: Final = 10.0
"""Seconds that connecting may take, and seconds between two attempts, at most."""


def nobody(pid: int, table: int) -> bool:
    return False


class Listener:
    """Calls `on_write(table)` for every notified write that is not `known(pid, table)`.

    `known` says that server process `pid` belongs to this process's pool and that the write was announced; the
    triggers notify of galvo's own writes as well. `on_doubt()` is called when it stops listening and again
    when it listens anew, because of what was missed in between. While `listening` is false, nobody tells of writes.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        on_write: Callable[[int], None],
        on_doubt: Callable[[], None],
        *,
        known: Callable[[int, int], bool] = nobody,
        beat: float = 5,
        timeout: float = 2,
        retry: float = 0.1,
        log: logging.Logger | None = None,
    ) -> None:
        """`beat`: seconds between two looks whether the server still answers; `timeout`: seconds it has for that;
        `retry`: seconds before the first attempt to connect again, doubled each time up to `LONGEST_WAIT`.
        """
        self._connect = connect
        self._on_write = on_write
        self._on_doubt = on_doubt
        self._known = known
        self._beat = beat
        self._timeout = timeout
        self._retry = retry
        self._log = log or logging.getLogger("galvo.cache")
        self._told = False
        self.listening = False
        self.heard = 0
        """Notifications of writes."""
        self.ignored = 0
        """Those that were known, or are no table's OID."""

    async def run(self) -> None:
        """Listen until cancelled."""
        wait = self._retry
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  # whatever it is, the answer is to connect again
                if self.listening:
                    wait = self._retry
                    self.listening = False
                    self._on_doubt()
                self._tell(error)
            finally:
                self.listening = False
            await anyio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _listen(self) -> None:
        """Listen until the connection is lost, which raises."""
        with anyio.fail_after(LONGEST_WAIT):
            connection = await self._connect()
        try:
            gone = anyio.Event()
            connection.add_termination_listener(lambda _: gone.set())
            with anyio.fail_after(self._timeout):
                await connection.add_listener(CHANNEL, self._hear)
            await self._alive(connection)
            self._on_doubt()  # what was written before LISTEN, nobody told
            self.listening = True
            if self._told:
                self._told = False
                self._log.info("listening for outside writes again")
            while True:
                with anyio.move_on_after(self._beat):
                    await gone.wait()
                await self._alive(connection)
        finally:
            with anyio.CancelScope(shield=True):
                await _closed(connection, self._timeout)

    async def _alive(self, connection: asyncpg.Connection) -> None:
        """Raises when the server does not answer, or when somebody answers in its place."""
        with anyio.fail_after(self._timeout):
            pid = await connection.fetchval("select pg_backend_pid()")
        if pid != connection.get_server_pid():
            raise GalvoError("a connection pooler is in between, and LISTEN needs a connection of its own")

    def _hear(self, connection: Any, pid: int, channel: str, payload: object) -> None:
        # Every user of the database may notify on this channel, with any text.
        text = str(payload)
        table = int(text) if len(text) <= 10 and text.isascii() and text.isdigit() else 0
        self.heard += 1
        if not table or self._known(pid, table):
            self.ignored += 1
        else:
            try:
                self._on_write(table)
            except Exception:  # noqa: BLE001  # the event loop would swallow it, and the write with it
                self._log.exception("an outside write could not be acted upon")
                self._on_doubt()

    def _tell(self, error: Exception) -> None:
        """Once per time that it does not listen."""
        if not self._told:
            self._told = True
            why = str(error) if isinstance(error, GalvoError) else type(error).__name__
            self._log.warning("not listening for outside writes, trying again: %s", why)


async def _closed(connection: asyncpg.Connection, timeout: float) -> None:
    """Close it; one that does not answer is dropped."""
    try:
        with anyio.fail_after(timeout):
            await connection.close(timeout=timeout / 2)
    except Exception:  # noqa: BLE001  # it is lost either way
        connection.terminate()
