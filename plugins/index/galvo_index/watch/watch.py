"""What the plugin's layer sees, put together."""

from __future__ import annotations

from typing import Any

import anyio
import msgspec

from galvo import Context, PluginError, Query
from galvo_index.finding import Finding
from galvo_index.settings import IndexSettings
from galvo_index.watch.entry import Entry
from galvo_index.watch.repeats import Repeats
from galvo_index.watch.sessions import Sessions
from galvo_index.watch.slow import SlowStatements
from galvo_index.watch.statements import Statements
from galvo_index.workload import Statement
from galvo_sql import redacted

BATCH = 64
"""Queries that wait to be counted, for a second at most."""
FINDINGS = 100
PAUSE, PAUSE_BUSY = 1.0, 0.1
"""Seconds between looks at new texts: at most 50 a second, a tenth to one percent of a core."""


class Watch:
    def __init__(self, settings: IndexSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self.statements = Statements(settings.statements, settings.sample_arguments, settings.argument_bytes)
        self.sessions = Sessions("index")
        self.repeats = Repeats(self._repeated)
        self.slow = SlowStatements(settings, context.log, self._connect, self._found)
        self._findings: dict[tuple[str, str], Finding] = {}
        self.batch: list[tuple[str, tuple[Any, ...], float, int]] = []
        """Text, arguments, seconds and rows of queries that ended, until `count`: always the same list."""

    # -- from the hot path ----------------------------------------------------------------------------

    def count(self) -> None:
        """Count what has ended. Many at a time: each by itself would find the processor's caches cold."""
        known, enter = self.statements.texts.get, self.statements.enter
        for sql, args, seconds, rows in self.batch:
            entry = known(sql) or enter(sql)
            entry.rows += rows
            times = entry.times
            times.append(seconds)
            if len(times) >= entry.limit:
                entry.fold(args)
        self.batch.clear()

    def failed(self, query: Query, seconds: float, error: BaseException) -> None:
        """A query ended in an error, or was cancelled."""
        if isinstance(error, Exception):
            self._entry(query).errors += 1
        if seconds >= self._settings.slow:
            self.noticed(query, seconds, type(error).__name__)

    def noticed(self, query: Query, seconds: float, error: str = "") -> None:
        """A query was slow."""
        self.count()
        waiting = self._pool_stats().get("waiting", 0)
        self.slow.notice(query, self._entry(query), seconds, self.sessions.settings(query.session), error, waiting)

    def _entry(self, query: Query) -> Entry:
        return self.statements.texts.get(query.sql) or self.statements.enter(query.sql)

    def _pool_stats(self) -> dict[str, float]:
        pool = self._context.capability("pool")
        return pool.stats() if pool is not None and hasattr(pool, "stats") else {}

    # -- in the background ----------------------------------------------------------------------------

    async def merge(self) -> None:
        """Find out which texts are one statement, a few at a time, until cancelled."""
        while True:
            self.count()
            more = self.statements.merge()
            await anyio.sleep(PAUSE_BUSY if more else PAUSE)

    async def _connect(self) -> Any:
        pool = self._context.capability("pool")
        if pool is None:
            raise PluginError("index", "no pool is there")
        return await pool.connect()

    def _found(self, finding: Finding) -> None:
        self._findings.pop((finding.rule, finding.subject), None)
        self._findings[finding.rule, finding.subject] = finding
        if len(self._findings) > FINDINGS:
            del self._findings[next(iter(self._findings))]

    def _repeated(self, first: str, repeated: str, runs: int, rows: int) -> None:
        entry = self.statements.find(repeated)
        self._found(
            Finding(
                "n-plus-one",
                entry.fingerprint if entry is not None and entry.fingerprint else redacted(repeated),
                f"One task ran {redacted(repeated)} {runs} times, once for each of {rows} rows that "
                f"{redacted(first)} had answered.",
                "Join the two statements, or run the second once with `= any($1)` and all values.",
                evidence={"runs": runs, "rows": rows},
            )
        )

    # -- telling --------------------------------------------------------------------------------------

    def watched(self) -> list[Statement]:
        """Reads and writes that have plans; the time of what there was no room for is in `stats`."""
        self.count()
        for _ in range(50):  # 10 ms at most
            if not self.statements.merge():
                break
        return [
            Statement(entry.sql, entry.calls, entry.total, entry.rows, tuple(entry.arguments.kept))
            for entry in self.statements.all()
            if entry.kind != "other" and entry.calls
        ]

    def findings(self) -> list[Finding]:
        return [*self._findings.values()]

    def events(self) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(event) for event in self.slow.events]

    def top(self, count: int) -> list[dict[str, Any]]:
        self.count()
        ranked = sorted(self.statements.all(), key=lambda entry: entry.total, reverse=True)
        return [
            {"statement": redacted(entry.sql), "fingerprint": entry.fingerprint, **entry.numbers()}
            for entry in ranked[:count]
        ]

    def explain(self, sql: str) -> dict[str, Any] | None:
        self.count()
        entry = self.statements.find(sql)
        if entry is None:
            return None
        found = entry.plan[2] if entry.plan else ()
        return {
            "fingerprint": entry.fingerprint,
            **entry.numbers(),
            "arguments_kept": len(entry.arguments.kept),
            "findings": [msgspec.to_builtins(finding) for finding in found],
        }

    def stats(self) -> dict[str, float]:
        self.count()
        every = [*self.statements.all(), self.statements.others]
        self.statements.others.fold()
        return {
            "calls": sum(entry.calls for entry in every),
            "seconds": sum(entry.total for entry in every),
            "rows": sum(entry.rows for entry in every),
            "errors": sum(entry.errors for entry in every),
            "slow": self.slow.count,
            "plans": self.slow.plans,
            "plans_skipped": self.slow.skipped,
            "events_left_out": self.slow.left_out,
            "statements": len(every) - 1,
            "statements_dropped": self.statements.dropped,
            "other_seconds": self.statements.others.total,
            "findings": len(self._findings),
            "waited_seconds": self._pool_stats().get("waited_seconds", 0.0),
        }
