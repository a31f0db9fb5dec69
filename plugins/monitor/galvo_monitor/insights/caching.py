"""The cache: Redis away, more misses than usual, statements whose refusal costs much."""

from __future__ import annotations

from collections import deque

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.facts import Facts
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.unusual import Unusual
from galvo_monitor.insights.words import clock, duration, many, share

HITS, MISSES = "galvo.cache.hits", "galvo.cache.misses"
ENOUGH = 50
"""Reads in an interval."""
LEAST_MISSED = 0.05
AWAY = 1.0
"""Seconds without a round trip that succeeds, from which Redis is away and has not just been slow once."""
MEMORY = 3
"""Reports of refused statements that are compared: half an hour, at one for each ten looks, each 30 s."""
COSTLY = 0.05
"""Seconds in the database for each second, from which a refused statement is worth a sentence."""
TEXT = 120
"""Characters of a statement."""


class Caching:
    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two looks."""
        self._missing = Unusual(interval=interval, least=LEAST_MISSED)
        self._refused: deque[tuple[float, int, dict[tuple[str, str], tuple[float, float]]]] = deque(maxlen=MEMORY + 1)
        self._looks = 0
        self._costly: Clue | None = None

    def look(self, reading: Reading, facts: Facts) -> list[Clue]:
        away = _away(reading, facts)
        missing = self._misses(reading)
        costly = self._costs(reading, facts)
        return [clue for clue in (away, None if away else missing, costly) if clue is not None]

    def _misses(self, reading: Reading) -> Clue | None:
        hits, misses = reading.total(HITS, "rate") or 0.0, reading.total(MISSES, "rate") or 0.0
        part = misses / (hits + misses) if (hits + misses) * reading.interval >= ENOUGH else None
        if not self._missing.look(part, reading.now) or part is None:
            return None
        return Clue(
            f"{share(part)} of the cache's reads miss since {clock(self._missing.since, reading.now)}, usually "
            f"{share(self._missing.usual)}",
            f"{MISSES} {misses:,.1f} and {HITS} {hits:,.1f} a second",
            self._missing.since,
            self._missing.confidence,
            alone=True,
        )

    def _costs(self, reading: Reading, facts: Facts) -> Clue | None:
        """The statement that the cache refuses and that took most of the database's time lately."""
        self._looks += 1
        if facts.refused is not None:
            told = {(one.statement, one.reason): (one.seconds, one.runs) for one in facts.refused}
            self._refused.append((reading.now, self._looks, told))
            self._costly = self._costliest(reading)
        return self._costly

    def _costliest(self, reading: Reading) -> Clue | None:
        at, look, before = self._refused[0]
        elapsed = (self._looks - look) * reading.interval
        now = self._refused[-1][2]
        new = {
            key: (seconds - before[key][0], runs - before[key][1])
            for key, (seconds, runs) in now.items()
            if key in before  # one that has just come among the costliest may be old
        }
        if elapsed <= 0 or not new:
            return None
        (statement, reason), (seconds, runs) = max(new.items(), key=lambda one: one[1][0])
        if seconds < COSTLY * elapsed or runs <= 0:
            return None
        shown = statement if len(statement) <= TEXT else statement[: TEXT - 1] + "…"
        return Clue(
            f"the cache refuses `{shown}` ({reason}), which has cost {share(seconds / elapsed)} of one connection's "
            f"time since {clock(at, reading.now)}",
            f"{many(runs, 'run')} took {duration(seconds)} in {duration(elapsed)}; `galvo explain` tells of the reason",
            at,
            0.9,
            alone=True,
        )


def _away(reading: Reading, facts: Facts) -> Clue | None:
    seconds = facts.cache.get("away_seconds", 0.0)
    if seconds < AWAY:
        return None
    since = reading.now - seconds
    # Its lease has run out: what it remembers may be outdated.
    silent = " and answers nothing until it does" if facts.cache.get("shares") == 0 else ""
    return Clue(
        f"the cache has not reached Redis since {clock(since, reading.now)}{silent}",
        f"no round trip of the cache's to Redis has succeeded for {duration(seconds)}",
        since,
        0.95,
        alone=True,
    )
