"""One alert of one rule, with all that is known of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from galvo_monitor.alerts.machine import Course, step
from galvo_monitor.alerts.rule import Rule
from galvo_monitor.alerts.sentences import sentence
from galvo_monitor.alerts.source import Labels
from galvo_monitor.alerts.transition import Transition
from galvo_monitor.names import label
from galvo_monitor.view import Alert

FORGET = 86_400.0
"""Seconds without data after which nothing fires any longer."""


class Tracked(msgspec.Struct):
    rule: Rule
    own: Labels
    """Of the series."""
    course: Course
    sentence: str = ""
    muted: bool = False

    @classmethod
    def begun(cls, rule: Rule, own: Labels, now: float) -> Tracked:
        return cls(rule, own, Course(now, seen=now))

    @property
    def firing(self) -> bool:
        return self.course.state == "firing"

    @property
    def labels(self) -> Labels:
        """What the series says of itself stays: it tells the alerts of one rule apart, at those who are told, too."""
        own = {label(name) for name, _ in self.own}
        return tuple(sorted([*self.own, *(pair for pair in self.rule.labels.items() if pair[0] not in own)]))

    def look(self, value: float | None, now: float, *, absent: bool = False, settling: bool = False) -> bool:
        """Take the number of now; False: it is nothing to speak of.

        `absent`: no series of the rule has data. `settling`: that there is none means nothing yet.
        """
        course, rule = self.course, self.rule
        lost = value is None and absent and rule.no_data == "fire" and not self.own
        kept = rule.no_data == "keep" and now - course.seen < FORGET
        if value is None and not lost and self.firing and (settling or kept):
            return True
        bad = lost or (value is not None and rule.beyond(value, self.firing))
        stepped, event = step(course, bad, now, hold=rule.for_, keep=rule.keep_firing_for)
        if stepped is None:
            return False
        self.course = stepped
        self._note(value, bad, now)
        if stepped.state != "resolved" or event:
            self.sentence = sentence(rule, self.own, stepped.peak if event == "resolved" else value)
        return True

    def _note(self, value: float | None, bad: bool, now: float) -> None:
        course = self.course
        if value is None:
            if bad:
                course.value, course.seen = None, now
            return
        course.value, course.seen = value, now
        if bad and (course.peak is None or self.rule.worse(value, course.peak)):
            course.peak = value

    def alert(self) -> Alert:
        course, rule = self.course, self.rule
        return Alert(
            rule.name, rule.severity, course.state, self.sentence, course.since, course.value, self.labels, self.muted
        )

    def transition(self, event: Literal["firing", "repeated", "resolved"], at: float) -> Transition:
        course, rule = self.course, self.rule
        return Transition(
            event, rule.name, rule.severity, self.labels, self.sentence, course.since, at, course.value, course.peak
        )
