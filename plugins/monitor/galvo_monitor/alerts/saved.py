"""What of the alerts survives a restart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from galvo_monitor.alerts.errors import RuleProblem
from galvo_monitor.alerts.machine import Course
from galvo_monitor.alerts.rule import Rule
from galvo_monitor.alerts.source import Labels
from galvo_monitor.alerts.tracked import Tracked
from galvo_monitor.alerts.transition import Transition

OUTAGE = 3600.0
"""Seconds after which what was pending is no longer."""


class Kept(msgspec.Struct, forbid_unknown_fields=True):
    rule: str
    """All that matters of it as JSON: another threshold is another rule."""
    own: Labels
    course: Course
    last: Transition
    """As it was told last, or would be."""


class Saved(msgspec.Struct, forbid_unknown_fields=True):
    at: float
    """Seconds since the epoch."""
    kept: list[Kept]
    version: int = 1

    @classmethod
    def of(cls, data: bytes) -> Saved:
        """Raises RuleProblem."""
        try:
            saved = msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, RecursionError) as error:
            raise RuleProblem(f"the state of the alerts cannot be read, so it is begun anew: {error}") from None
        if saved.version != 1:
            raise RuleProblem(f"the state of the alerts is of version {saved.version}, not 1, so it is begun anew")
        return saved


def pack(all_of_them: Iterable[Tracked], now: float) -> tuple[bytes, bytes]:
    """As bytes, and what of them is compared to know whether anything has changed: not the values of each moment."""
    kept = [
        Kept(_print(one.rule), one.own, one.course, one.transition("firing", one.course.fired)) for one in all_of_them
    ]
    compared = [(one.rule, one.own, one.course.state, one.course.told) for one in kept]
    return msgspec.json.encode(Saved(now, kept)), msgspec.json.encode(compared)


def restored(saved: Saved, rules: Sequence[Rule], now: float) -> Iterator[Tracked | Transition]:
    """Alerts as they were, and what to tell of those whose rules are gone or are others now.

    The time in between does not count for "for", and neither does a clock that was set back meanwhile.
    """
    known = {_print(rule): rule for rule in rules}
    away = now - saved.at
    for kept in saved.kept:
        course, rule = kept.course, known.get(kept.rule)
        if rule is None:
            if course.state == "firing" and course.told is not None:
                yield msgspec.structs.replace(kept.last, event="resolved", at=now)
            continue
        if course.state == "pending" and away > OUTAGE:
            continue
        if away < 0 or course.state == "pending":
            course.shift(away)
        yield Tracked(rule, kept.own, course, kept.last.sentence)


def _print(rule: Rule) -> str:
    told = {"sentence", "labels", "for_", "keep_firing_for", "severity", "group"}
    return rule.model_dump_json(exclude=told)
