"""The states of one alert, as Prometheus has them: pending, firing, resolved.

Compared with `promtool test rules` in tests/plugins/monitor/alerts/test_promtool.py.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Event = Literal["fired", "resolved"]


class Course(msgspec.Struct):
    """Of one alert. Times are seconds since the epoch, by a clock that does not jump (see `clock.py`)."""

    since: float
    """When the number went beyond the threshold."""
    state: Literal["pending", "firing", "resolved"] = "pending"
    fired: float = 0.0
    better: float | None = None
    """Since when it would be over but for `keep_firing_for`."""
    resolved: float = 0.0
    value: float | None = None
    peak: float | None = None
    """The worst value while it was beyond."""
    seen: float = 0.0
    """When there was data."""
    told: float | None = None
    """When anybody was last told that it fires."""

    def shift(self, seconds: float) -> None:
        """The clock has jumped by so much."""
        self.since += seconds
        self.fired += seconds
        self.resolved += seconds
        self.seen += seconds
        self.better = None if self.better is None else self.better + seconds
        self.told = None if self.told is None else self.told + seconds


def step(
    course: Course | None, bad: bool, now: float, *, hold: float, keep: float
) -> tuple[Course | None, Event | None]:
    """The next state. `hold`: seconds of "for"; `keep`: of "keep_firing_for". None: nothing to speak of."""
    if bad:
        if course is None or course.state == "resolved":
            course = Course(now)
        course.better = None
        if course.state == "pending" and now - course.since >= hold:
            course.state, course.fired = "firing", now
            return course, "fired"
        return course, None
    if course is None or course.state == "pending":
        return None, None
    if course.state == "resolved":
        return course, None
    if course.better is None:
        course.better = now
    if now - course.better < keep:
        return course, None
    course.state, course.resolved = "resolved", now
    return course, "resolved"
