"""Looks at all rules, once for each interval."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import monotonic

from galvo_local import Surviving
from galvo_monitor.alerts.clock import Jumps
from galvo_monitor.alerts.muting import muted
from galvo_monitor.alerts.rule import Rule
from galvo_monitor.alerts.rules import check_names
from galvo_monitor.alerts.saved import Saved, pack, restored
from galvo_monitor.alerts.silence import Silence
from galvo_monitor.alerts.source import Labels, Source, read
from galvo_monitor.alerts.tracked import Tracked
from galvo_monitor.alerts.transition import Transition
from galvo_monitor.alerts.unknown import Unknown
from galvo_monitor.view import Alert

SHOWN = 900.0
"""Seconds for which an alert that is over is still shown."""
REPEAT = 4 * 3600.0
SETTLING = 300.0
"""Seconds after a restart in which missing data ends no alert: rates and windows need some time to be there again."""
Key = tuple[str, Labels]


class Engine:
    """Alerts of `rules`. It tells nobody: what there is to tell is given back by `evaluate`."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        log: logging.Logger,
        interval: float = 30.0,
        repeat: float = REPEAT,
        silences: Sequence[Silence] = (),
        clock: Callable[[], float] | None = monotonic,
    ) -> None:
        """`interval`: seconds between two looks; `repeat`: until somebody is told again of what still fires; `clock`:
        seconds that never jump, by which a jump of `now` is known; None: `now` never jumps.

        Raises RuleProblem for two rules of one name.
        """
        check_names(rules)
        self.rules = tuple(rules)
        self.silences = tuple(silences)
        self._interval = interval
        self._repeat = repeat
        self._surviving = Surviving(log)
        self._unknown = Unknown(self.rules, log)
        self._jumps = Jumps(clock)
        self._tracked: dict[Key, Tracked] = {}
        self._left: list[Transition] = []
        """To tell of alerts whose rules are gone."""
        self._settled = float("-inf")
        self._saved = b""
        self._now = 0.0

    def evaluate(self, now: float, source: Source) -> list[Transition]:
        """What to tell. `now`: seconds since the epoch. A rule that fails leaves its alerts as they are."""
        if jump := self._jumps.look(now):
            self._settled += jump
            for tracked in self._tracked.values():
                tracked.course.shift(jump)
        self._now = now
        for rule in self.rules:
            with self._surviving.part(f"rule {rule.name}"):
                self._evaluate(rule, now, source)
        for tracked, quiet in muted(list(self._tracked.values()), self.silences, now):
            tracked.muted = quiet
        told = [*self._left, *self._tell(now)]
        self._left = []
        return told

    def alerts(self) -> list[Alert]:
        """Pending, firing, and for some time those that are over."""
        return [tracked.alert() for tracked in self._tracked.values()]

    def firing(self) -> list[Transition]:
        """All that fire and are not muted, for those who want to be told again and again."""
        return [
            one.transition("firing", one.course.fired) for one in self._tracked.values() if one.firing and not one.muted
        ]

    def save(self) -> bytes | None:
        """What a restart must not forget; None: nothing has changed since the last call but values."""
        packed, compared = pack(self._tracked.values(), self._now)
        if compared == self._saved:
            return None
        self._saved = compared
        return packed

    def restore(self, data: bytes, now: float) -> None:
        """Go on where another process has stopped; `data` is from its `save`. Raises RuleProblem for what is not."""
        saved = Saved.of(data)
        self._settled = now + SETTLING
        for found in restored(saved, self.rules, now):
            if isinstance(found, Tracked):
                self._tracked[found.rule.name, found.own] = found
            else:
                self._left.append(found)

    def inherit(self, older: Engine) -> None:
        """Go on where `older` is: the settings were loaded again."""
        packed, _ = pack(older._tracked.values(), older._now)
        self.restore(packed, older._now)

    def unsaved(self) -> None:
        """What `save` gave last was lost."""
        self._saved = b""

    def forget_told(self) -> None:
        """What was told so far was not told by this process."""
        for tracked in self._tracked.values():
            tracked.course.told = None

    @property
    def faults(self) -> int:
        return self._surviving.faults

    def _evaluate(self, rule: Rule, now: float, source: Source) -> None:
        values: dict[Labels, float | None] = {**read(rule, source, now, self._interval)}
        self._unknown.look(rule, bool(values))
        if not values and rule.no_data == "fire":
            values[()] = None
        for key in [key for key in self._tracked if key[0] == rule.name and key[1] not in values]:
            values[key[1]] = None
        absent = all(value is None for value in values.values())
        for labels, value in values.items():
            self._look(rule, labels, value, now, absent)

    def _look(self, rule: Rule, labels: Labels, value: float | None, now: float, absent: bool) -> None:
        key = rule.name, labels
        tracked = self._tracked.get(key)
        if tracked is None:
            if value is not None and not rule.beyond(value, firing=False):
                return
            tracked = Tracked.begun(rule, labels, now)
        if not tracked.look(value, now, absent=absent, settling=now < self._settled):
            self._tracked.pop(key, None)
        elif tracked.course.state == "resolved" and now - tracked.course.resolved > SHOWN:
            del self._tracked[key]
        else:
            self._tracked[key] = tracked

    def _tell(self, now: float) -> list[Transition]:
        told = []
        for tracked in self._tracked.values():
            course = tracked.course
            if course.state == "firing" and not tracked.muted:
                if course.told is None:
                    told.append(tracked.transition("firing", now))
                elif now - course.told >= self._repeat:
                    told.append(tracked.transition("repeated", now))
                else:
                    continue
                course.told = now
            elif course.state == "resolved" and course.told is not None:
                course.told = None
                told.append(tracked.transition("resolved", course.resolved))
        return told
