"""Puts clues together: what changed leads, and what may explain it stands beside it."""

from __future__ import annotations

from galvo_monitor.insights.caching import Caching
from galvo_monitor.insights.clue import Clue, insight
from galvo_monitor.insights.facts import Facts
from galvo_monitor.insights.machine import Strain, disks
from galvo_monitor.insights.queued import Queued
from galvo_monitor.insights.sessions import sessions
from galvo_monitor.insights.source import Reading, Source
from galvo_monitor.insights.standing import leaking, suggested
from galvo_monitor.insights.streaks import Streaks
from galvo_monitor.insights.waiting import waiting
from galvo_monitor.insights.watched import Watched
from galvo_monitor.view import Insight


class Insights:
    """Of one process. Says nothing of what it has not seen twice, or cannot prove by numbers of this interval."""

    def __init__(self, *, interval: float) -> None:
        """`interval`: seconds between two looks."""
        self._interval = interval
        self._streaks = Streaks()
        self._watched = Watched(interval)
        self._queued = Queued(interval)
        self._caching = Caching(interval)
        self._strain = Strain(interval)

    def look(self, now: float, source: Source, facts: Facts) -> list[Insight]:
        """Once for each interval, after its values are in `source`; what matters most comes first.

        `now`: seconds since the epoch, by a clock that may jump.
        """
        reading = Reading(source, now, self._interval)
        watched = self._watched
        slow, failing, more = watched.slow(reading), watched.failing(reading), watched.more(reading)
        lag, queued = watched.lag(reading), self._queued.look(reading)
        database = [*waiting(reading, facts, self._streaks), *sessions(reading, facts)]
        caching = self._caching.look(reading, facts)
        strain = self._strain.look(reading, facts)

        told: list[list[Clue]] = []
        if slow:
            told.append([*slow, *database, *([lag] if lag else []), *more, *strain])
        else:
            if any(clue.alone for clue in database):
                told.append(sorted(database, key=lambda clue: not clue.alone))
            if lag is not None:
                told.append([lag, *strain])
            elif any(clue.alone for clue in strain):
                told.append(sorted(strain, key=lambda clue: not clue.alone))
        if queued:
            told.append(queued)
        told += [[clue] for clue in (*failing, *caching, *disks(reading, facts))]
        others = (leaking(reading, facts, self._streaks), suggested(reading, facts, self._streaks))
        told += [[clue] for clue in others if clue is not None]
        return [insight(clues) for clues in told]
