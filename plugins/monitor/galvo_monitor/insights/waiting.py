"""The pool: how much of the queries' time is waiting for a connection, and whether there is none left."""

from __future__ import annotations

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.facts import Facts
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.streaks import Streaks
from galvo_monitor.insights.words import clock, duration, many, share

DURATION = "db.client.operation.duration"
WAIT = "db.client.connection.wait_time"
SOME, MUCH = 0.2, 0.5
"""Of the queries' time: what is told beside other things, and by itself."""
BUSY = 0.1
"""Seconds of waiting in a second, below which a share is one of next to nothing."""
LOOKS = 2


def waiting(reading: Reading, facts: Facts, streaks: Streaks) -> list[Clue]:
    clues = []
    if (exhausted := _exhausted(reading, facts, streaks)) is not None:
        clues.append(exhausted)
    if (part := _share(reading, facts, streaks)) is not None:
        clues.append(part)
    return clues


def _exhausted(reading: Reading, facts: Facts, streaks: Streaks) -> Clue | None:
    """Every connection is lent, and somebody waits for one."""
    lent, limit, waits = (facts.pool.get(name, 0.0) for name in ("lent", "limit", "waiting"))
    looks = streaks.look("pool exhausted", bool(waits > 0 and limit > 0 and lent >= limit), reading.now)
    if not looks:
        return None
    since = streaks.since("pool exhausted")
    if facts.pool.get("size", lent) > lent:
        lead = f"the pool lends {many(lent, 'connection')}, no more for now,"
    else:
        lead = f"all {lent:.0f} connections of the pool are lent" if lent > 1 else "the pool's one connection is lent"
    text = f"{lead} and {many(waits, 'caller waits', 'callers wait')} for one"
    if looks >= LOOKS:
        text += f", seen since {clock(since, reading.now)}"
    evidence = f"pool: lent {lent:.0f}, limit {limit:.0f}, waiting {waits:.0f}, {many(looks, 'look')} in a row"
    return Clue(text, evidence, since, 0.95 if looks > LOOKS else 0.9, alone=looks >= LOOKS)


def _share(reading: Reading, facts: Facts, streaks: Streaks) -> Clue | None:
    """Those who wait for a connection wait within their query, unless they take one by hand: then it is no share, and
    whoever has a pool of its own does so.
    """
    waited, busy = reading.total(WAIT, "busy"), reading.total(DURATION, "busy")
    part = waited / busy if waited and busy else 0.0
    true = not facts.pool_hosted and waited is not None and waited >= BUSY and SOME <= part <= 1
    looks = streaks.look("pool wait", true, reading.now, ago=reading.interval)
    if not true or waited is None or busy is None:
        return None
    evidence = (
        f"{duration(waited)} of {duration(busy)} a second were spent waiting for a connection "
        f"({WAIT} and {DURATION}, sums of the last {duration(reading.interval)})"
    )
    alone = part >= MUCH and looks >= LOOKS
    return Clue(f"{share(part)} of the query time is pool wait", evidence, streaks.since("pool wait"), 0.9, alone)
