"""Sentences for an operator: what does not fit, the value to set, and the reason. No sentence without a number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from galvo_pool.advice.facts import Facts, Session

LONG_IDLE = 300.0
"""Seconds without a statement after which a connection is one too many."""
LONG_TRANSACTION = 60.0
BACKEND = 10 * 1024**2
"""Bytes that one connection costs the server, with a prepared statement or two (measured: 2.5 MB; plans add to it)."""
FULL = 0.85


def advise(facts: Facts) -> Iterator[str]:
    """All sentences that apply, the most urgent first."""
    yield from _sessions(facts)
    yield from _places(facts)
    yield from _pools(facts)
    yield from _server(facts)
    if facts.local:
        yield from _machine(facts)


def _sessions(facts: Facts) -> Iterator[str]:
    for session in sorted(facts.sessions, key=lambda one: -one.transaction):
        if session.blocks:
            yield (
                f"{session.application} (pid {session.pid}) holds a lock that {_many(session.blocks, 'session')} "
                f"wait for, {session.state} for {seconds(session.since)}: pg_terminate_backend({session.pid}) frees it"
            )
        elif session.state.startswith("idle in") and session.since > LONG_TRANSACTION:
            yield (
                f"{session.application} (pid {session.pid}) has been idle in a transaction for "
                f"{seconds(session.since)}: vacuum cannot remove what died since; end it, or set "
                "idle_in_transaction_session_timeout"
            )


def _places(facts: Facts) -> Iterator[str]:
    most, used = places(facts), len(facts.sessions) + 1
    if most > 0 and used > FULL * most:
        reserved = facts.number("max_connections") - most
        yield (
            f"{used} of {most:g} connections are in use: lower max_size where connections are idle, or raise "
            f"max_connections to {int(used * 1.5 + reserved)}"
        )
    if sentence := unreachable(facts):
        yield sentence


def places(facts: Facts) -> float:
    """Connections that the server takes from users like us."""
    reserved = facts.number("superuser_reserved_connections") + facts.number("reserved_connections")
    return facts.number("max_connections") - reserved


def unreachable(facts: Facts) -> str:
    """A pool that can never have all its connections; "" when it can."""
    want, most = facts.pools.get("max_size", 0), places(facts)
    if 0 < most < want:
        return (
            f"max_size = {want} under [pool] can never be reached: the server has {most:g} places; set max_size below"
        )
    return ""


def _pools(facts: Facts) -> Iterator[str]:
    name = lambda session: session.application  # noqa: E731  # the key of two calls
    for application, group in groupby(sorted(facts.sessions, key=name), key=name):
        sessions: list[Session] = list(group)
        idle = [one for one in sessions if one.state == "idle" and one.since > LONG_IDLE]
        if len(sessions) >= 4 and len(idle) * 2 > len(sessions):
            enough = max(1, len(sessions) - len(idle))
            yield (
                f"{len(idle)} of {len(sessions)} connections of {application} have been idle for "
                f"{seconds(min(one.since for one in idle))} or longer: {enough} would do"
            )


def _server(facts: Facts) -> Iterator[str]:
    for name, why in (
        ("fsync", "a crash of the machine can destroy the whole database"),
        ("full_page_writes", "a crash of the machine can leave torn pages"),
        ("autovacuum", "tables grow and statistics age until somebody runs VACUUM ANALYZE"),
    ):
        if facts.settings.get(name) == "off":
            yield f"{name} is off: {why}; set {name} = on, unless the data is for tests"
    if "idle_in_transaction_session_timeout" in facts.settings and not facts.number(
        "idle_in_transaction_session_timeout"
    ):
        yield "idle_in_transaction_session_timeout is 0: a forgotten transaction keeps its locks; set it to 5min"
    wal = facts.number("max_wal_size")
    if 0 < wal < 1024**3:
        yield f"max_wal_size = {size(wal)} forces checkpoints while many rows are written; set it to 4GB"


def _machine(facts: Facts) -> Iterator[str]:
    """The server has this machine's memory, or what others leave of it."""
    memory, places = facts.memory, facts.number("max_connections")
    buffers, work = facts.number("shared_buffers"), facts.number("work_mem")
    if 0 < buffers < memory / 16:
        yield (
            f"shared_buffers = {size(buffers)} is {buffers / memory:.1%} of {size(memory)}: for a server of its own a "
            f"quarter is usual; set it to {size(memory / 4)}"
        )
    cache = facts.number("effective_cache_size")
    if 0 < cache < memory / 4:
        yield (
            f"effective_cache_size = {size(cache)} makes index scans look dearer than they are with {size(memory)}; "
            f"set it to {size(memory / 2)}"
        )
    if places * (work + BACKEND) > memory:
        fit = int(memory / 2 / (work + BACKEND))
        yield (
            f"{places:g} connections with work_mem = {size(work)} may want {size(places * (work + BACKEND))} of "
            f"{size(memory)}: set max_connections = {max(20, fit)}, or a smaller work_mem"
        )
    if places > 50 * facts.cores:
        yield (
            f"max_connections = {places:g} with {_many(facts.cores, 'core')}: more than about "
            f"{4 * facts.cores} that are busy only wait for each other; a few pools with max_size "
            f"{2 * facts.cores + 1} serve more"
        )


def seconds(value: float) -> str:
    """For people, in one unit."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if value >= length:
            return f"{value / length:.0f} {unit}"
    return f"{value:.0f} s"


def size(value: float) -> str:
    """As postgresql.conf wants it: a whole number of a unit, never more than `value`."""
    for unit, length in (("GB", 1024**3), ("MB", 1024**2), ("kB", 1024)):
        if value >= 2 * length or (value >= length and value % length == 0):
            return f"{int(value / length)}{unit}"
    return f"{int(value)}B"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
