"""What `galvo doctor` says of the database: the rules that read a few catalogs, and no table or index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import asyncpg

from galvo import Finding
from galvo_index import finding
from galvo_index.health.examine import examine

QUICK = (
    "checksum-failure", "collation-version", "transaction-wraparound", "multixact-wraparound", "exhausted-sequence",
    "blocking-chain", "idle-in-transaction", "forgotten-prepared-transaction", "inactive-slot", "invalid-index",
    "planner-switch",
)  # fmt: skip
MOST = 10
VERDICTS: dict[finding.Severity, Literal["ok", "advice", "problem"]] = {
    "critical": "problem", "warning": "advice", "info": "ok",
}  # fmt: skip


async def checkup(connect: Callable[[], Awaitable[asyncpg.Connection]]) -> list[Finding]:
    """`connect` opens a connection, which is closed here. Raises GalvoError and what asyncpg does."""
    connection = await connect()
    try:
        report = await examine(connection, QUICK)
    finally:
        connection.terminate()
    found = [
        Finding(one.rule, f"{one.subject}: {one.seen}", VERDICTS[one.severity], one.advice)
        for one in report.findings[:MOST]
    ]
    found += [Finding(one.rule, "could not be looked at", "advice", one.why) for one in report.unknown]
    what = f"{len(report.findings)} found" if report.findings else "nothing found"
    rest = f"{what} by {len(report.rules)} quick rules; `galvo index health` follows all"
    return [*found, Finding("database", rest)]
