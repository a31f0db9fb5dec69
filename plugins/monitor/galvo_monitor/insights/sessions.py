"""Sessions of the database that keep others from their work."""

from __future__ import annotations

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.facts import Facts
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.words import duration, many

FORGOTTEN = 60.0
"""Seconds from which a session that is idle in its transaction matters by itself."""
BLOCKED, STUCK = 1.0, 10.0
"""Seconds from which waiting for a lock is told beside other things, and by itself."""


def sessions(reading: Reading, facts: Facts) -> list[Clue]:
    clues = []
    if (blocked := _blocked(reading, facts)) is not None:
        clues.append(blocked)
    if (idle := _idle(reading, facts)) is not None:
        clues.append(idle)
    return clues


def _idle(reading: Reading, facts: Facts) -> Clue | None:
    told = facts.database
    count = told.idle_count if told is not None else 0
    oldest = told.idle_oldest if told is not None else 0.0
    if told is None or not count:
        return None
    text = f"{many(count, 'session')} idle in transaction for up to {duration(oldest)}"
    ours = len(facts.pool_pids.intersection(told.idle))
    if ours and ours == count:
        text += ", of this pool" if count == 1 else ", all of this pool"
    elif ours:
        text += f", {ours} of this pool"
    evidence = f"pg_stat_activity: process {', '.join(map(str, told.idle[:5]))}{' …' if count > 5 else ''}"
    return Clue(text, evidence, reading.now - oldest, 0.95, alone=oldest >= FORGOTTEN)


def _blocked(reading: Reading, facts: Facts) -> Clue | None:
    told = facts.database
    blocker = told.blocker if told is not None else None
    waited = (blocker.waited or 0.0) if blocker is not None else 0.0
    if told is None or blocker is None or waited < BLOCKED:
        return None
    who = f"process {blocker.blocker}" if blocker.blocker else "a prepared transaction"
    state = f", which is {blocker.state}" if blocker.state else ""
    text = f"{many(told.blocked, 'session waits', 'sessions wait')} for locks, one for {duration(waited)} "
    evidence = f"pg_locks: process {blocker.pid} waits, pg_blocking_pids names {blocker.blocker} first"
    return Clue(f"{text}behind {who}{state}", evidence, reading.now - waited, 0.95, alone=waited >= STUCK)
