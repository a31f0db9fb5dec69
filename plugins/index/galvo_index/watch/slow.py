"""Slow statements: one event each, and now and then the plan of one, on a connection of its own.

Nobody waits for this: what comes too fast is counted and left out.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic, time
from typing import Any

import anyio
import asyncpg
import msgspec

from galvo import GalvoError, Query
from galvo_index.finding import Finding
from galvo_index.plans.analyse import analysed
from galvo_index.plans.explaining import Unexplained
from galvo_index.settings import IndexSettings
from galvo_index.watch.entry import Entry
from galvo_index.watch.server_side import counted
from galvo_sql import redacted

QUEUE = 16
"""Statements that may wait for their event."""
EVENTS = 100
"""Events that are kept."""
PACE = 1.0
"""Seconds between two events."""


class Event(msgspec.Struct, frozen=True):
    """One slow run. No literals and no arguments, unless the settings want them shown."""

    at: float
    """Unix time of its end."""
    seconds: float
    statement: str
    fingerprint: str
    waiting: float = 0.0
    """Queries that waited for a connection when it ended: it may have waited, too."""
    error: str = ""
    """Name of the exception that ended it."""
    plan: str = ""
    """What became of looking at its plan."""
    findings: tuple[Finding, ...] = ()
    server: dict[str, float] = {}
    """What pg_stat_statements has counted of the statement, if it is there: pages hit, read, and of temporary files."""


class _Slow:
    """One that waits."""

    __slots__ = ("args", "at", "entry", "error", "query", "seconds", "session", "waiting")

    def __init__(
        self, query: Query, entry: Entry, seconds: float, error: str, session: tuple[str, ...] | str, waiting: float
    ) -> None:
        self.query, self.entry, self.seconds, self.error, self.session = query, entry, seconds, error, session
        self.waiting = waiting
        self.at = time()
        self.args = query.args if query.kind != "many" else query.args[0] if query.args else ()


class SlowStatements:
    """`connect` opens a connection for a plan; `found` is told what its findings are."""

    def __init__(
        self,
        settings: IndexSettings,
        log: logging.Logger,
        connect: Callable[[], Awaitable[Any]],
        found: Callable[[Finding], None],
    ) -> None:
        self._settings = settings
        self._log = log
        self._connect = connect
        self._found = found
        self._waiting: dict[int, _Slow] = {}
        self._wake = anyio.Event()
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.count = self.left_out = self.plans = self.skipped = 0

    def notice(
        self,
        query: Query,
        entry: Entry,
        seconds: float,
        session: tuple[str, ...] | str,
        error: str = "",
        waiting: float = 0.0,
    ) -> None:
        """A statement was slow."""
        self.count += 1
        entry.slow += 1
        key = id(entry)
        if key in self._waiting or len(self._waiting) < QUEUE:
            self._waiting[key] = _Slow(query, entry, seconds, error, session, waiting)
            self._wake.set()
        else:
            self.left_out += 1

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            while self._waiting:
                slow = self._waiting.pop(next(iter(self._waiting)))
                self._tell(await self._looked_at(slow))
                await anyio.sleep(PACE)
            self._wake = anyio.Event()

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        after = f", ended by {event.error}" if event.error else ""
        after += f", while {event.waiting:.0f} waited for a connection" if event.waiting else ""
        self._log.warning(
            "slow statement, %.2f s%s: %s (%s)%s", event.seconds, after, event.statement, event.plan,
            "".join(f"\n  {finding.seen} {finding.advice}" for finding in event.findings),
        )  # fmt: skip

    async def _looked_at(self, slow: _Slow) -> Event:
        findings: list[Finding] = []
        try:
            said = await self._plan(slow, findings)
        except Unexplained as why:
            self.skipped += 1
            said = f"no plan: {why}"
        except Exception as fault:  # noqa: BLE001  # a rule's mistake must not end the watch; its text may hold values
            self.skipped += 1
            said = f"no plan: {type(fault).__name__} in galvo"
        statement = slow.query.sql if self._settings.show_arguments else redacted(slow.query.sql)
        if self._settings.show_arguments and slow.args:
            statement += f" with {slow.args!r}"
        return Event(
            at=slow.at,
            seconds=slow.seconds,
            statement=statement,
            fingerprint=slow.entry.fingerprint,
            waiting=slow.waiting,
            error=slow.error,
            plan=said,
            findings=tuple(findings),
            server=slow.entry.server,
        )

    async def _plan(self, slow: _Slow, findings: list[Finding]) -> str:
        """Looks at the plan; gives what to say of it. Raises Unexplained."""
        entry, last = slow.entry, slow.entry.plan
        if not self._settings.explain_slow:
            raise Unexplained("explain_slow is off")
        if slow.query.kind == "stream":
            raise Unexplained("COPY and cursors have none that could be asked for")
        if isinstance(slow.session, str):
            raise Unexplained(slow.session)
        if last is not None and monotonic() < last[0] + self._settings.explain_again:
            return "its plan was looked at a short time ago"
        entry.plan = (monotonic(), last[1] if last else "", last[2] if last else ())
        entry.fold()
        connection = await self._opened()
        try:
            known = entry.rows / entry.calls if entry.calls and slow.query.kind == "rows" else None
            analysis = await analysed(
                connection, slow.query.sql, slow.args, settings=slow.session,
                timeout=self._settings.explain_timeout, known_rows=None if slow.query.limit else known, guarded=True,
            )  # fmt: skip
            entry.server = await counted(connection, analysis.plan)
        finally:
            with suppress(Exception):
                await connection.close(timeout=PACE)
        self.plans += 1
        entry.plan = (monotonic(), analysis.shape, tuple(analysis.findings))
        for finding in analysis.findings:
            self._found(finding)
        if last is not None and last[1] == analysis.shape:
            return "its plan is the same as before"
        findings += analysis.findings
        return f"its plan costs {analysis.cost:.0f}, {len(findings)} finding{'s' * (len(findings) != 1)}"

    async def _opened(self) -> Any:
        try:
            return await self._connect()
        except (GalvoError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unexplained("no connection for it could be opened") from error
