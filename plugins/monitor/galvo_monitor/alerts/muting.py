"""Which alerts nobody is told of: silenced ones, and those that a worse one of their group explains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from galvo_monitor.alerts.silence import Silence
from galvo_monitor.alerts.tracked import Tracked

ORDER = {"info": 0, "warning": 1, "critical": 2}


def muted(all_of_them: Sequence[Tracked], silences: Sequence[Silence], now: float) -> Iterator[tuple[Tracked, bool]]:
    """Each with whether it is muted. `now`: seconds since the epoch. What is silenced mutes others all the same."""
    critical = [one for one in all_of_them if one.firing and one.rule.severity == "critical" and one.rule.group]
    for tracked in all_of_them:
        yield (
            tracked,
            any(silence.covers(tracked.rule.name, tracked.labels, now) for silence in silences)
            or any(_explains(worse, tracked) for worse in critical),
        )


def _explains(worse: Tracked, tracked: Tracked) -> bool:
    """Labels that both series have must be the same."""
    if worse.rule.group != tracked.rule.group or ORDER[tracked.rule.severity] >= ORDER[worse.rule.severity]:
        return False
    other = dict(worse.own)
    return all(other.get(name, value) == value for name, value in tracked.own)
