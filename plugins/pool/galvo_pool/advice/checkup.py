"""What `galvo doctor` says of the server behind a pool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from galvo import Finding
from galvo_pool.advice.facts import Facts
from galvo_pool.advice.rules import advise, places, unreachable

ENDS = {
    13: date(2025, 11, 13), 14: date(2026, 11, 12), 15: date(2027, 11, 11), 16: date(2028, 11, 9),
    17: date(2029, 11, 8), 18: date(2030, 11, 14),
}  # fmt: skip
"""When the last fixes come: https://www.postgresql.org/support/versioning/"""
SOON = 180
"""Days before an end at which it is time to plan."""
OLDEST = 13
"""That galvo works with."""
USED = {
    "pg_stat_statements": "`galvo index advise` takes the workload from it",
    "hypopg": "`galvo index advise` asks the planner with it, many times faster",
    "pgstattuple": "`galvo index health` finds bloated indexes with it",
}
EXTENSIONS = """
select name, installed_version from pg_catalog.pg_available_extensions where name = any($1::text[])
"""


async def extensions(connection: Any) -> dict[str, str | None]:
    """Those that plugins use, as far as the server has them: the installed version, or None."""
    return {row["name"]: row["installed_version"] for row in await connection.fetch(EXTENSIONS, list(USED))}


def findings(version: tuple[int, str], facts: Facts, there: Mapping[str, str | None]) -> Iterator[Finding]:
    """`version`: major and text; `there`: what `extensions` gives."""
    yield of_version(*version)
    yield of_places(facts)
    for name, use in USED.items():
        yield of_extension(name, use, there)
    unused = unreachable(facts)
    for sentence in advise(facts):
        if sentence != unused:
            found, advice = halves(sentence)
            yield Finding("server", found, "advice", advice or found)


def of_version(major: int, text: str, today: date | None = None) -> Finding:
    end = ENDS.get(major)
    today = today or datetime.now(UTC).date()
    if major < OLDEST:
        return Finding("PostgreSQL", text, "problem", f"galvo needs {OLDEST} or newer: upgrade the server")
    if end is not None and end <= today:
        return Finding("PostgreSQL", f"{text}, no fixes since {end}", "problem", f"upgrade to {max(ENDS)}")
    if end is not None and (end - today).days <= SOON:
        return Finding("PostgreSQL", f"{text}, no fixes after {end}", "advice", f"plan the upgrade to {max(ENDS)}")
    return Finding("PostgreSQL", text)


def of_places(facts: Facts) -> Finding:
    most, sizes = places(facts), facts.pools
    pool = f"; [pool] min_size = {sizes['min_size']}, max_size = {sizes.get('max_size', 'auto')}" if sizes else ""
    found = f"{len(facts.sessions) + 1} of {most:g} in use{pool}"
    if sentence := unreachable(facts):
        return Finding("connections", found, "problem", sentence)
    return Finding("connections", found)


def of_extension(name: str, use: str, there: Mapping[str, str | None]) -> Finding:
    if name not in there:
        return Finding(name, "the server does not have it")
    if there[name] is None:
        preload = ", and shared_preload_libraries in postgresql.conf" if name == "pg_stat_statements" else ""
        return Finding(name, "not installed", "advice", f"create extension {name}{preload}: {use}")
    return Finding(name, str(there[name]))


def halves(sentence: str) -> tuple[str, str]:
    """What is, and what to do."""
    found = re.split(r"[:;] ", sentence, maxsplit=1)
    return found[0], found[1] if len(found) > 1 else ""
