"""Numbers that are there before anybody asks, and an engine whose clock is the test's."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from galvo_monitor.alerts import Engine, Rule, Transition
from galvo_monitor.series import Series

START = 1_800_000_000.0
STEP = 60.0
LOG = logging.getLogger("galvo.monitor")


class Numbers:
    """A Source. One value for each step of each series; None: there is none."""

    def __init__(self, values: Mapping[Series, Sequence[float | None]], step: float = STEP) -> None:
        self.values = values
        self.step = step
        self.asked = 0

    def select(self, metric: str, aggregate: str, attributes: Mapping[str, str] = {}) -> list[Series]:
        wanted = set(attributes.items())
        return [
            one
            for one in self.values
            if one.metric == metric and one.aggregate == aggregate and wanted.issubset(one.attributes)
        ]

    def window(self, series: Series, now: float, seconds: float) -> list[float]:
        self.asked += 1
        last = math.floor((now - START) / self.step)
        first = math.floor((now - seconds - START) / self.step) + 1
        listed = self.values[series][max(0, first) : max(0, last + 1)]
        return [value for value in listed if value is not None]


def numbers(*values: float | None, **attributes: str) -> Numbers:
    """Of the gauge "x"."""
    return Numbers({series(**attributes): values})


def series(**attributes: str) -> Series:
    return Series("x", "value", tuple(sorted(attributes.items())))


def rule(**given: Any) -> Rule:
    return Rule(**{"name": "High", "metric": "x", "above": 80, "for": 0, **given})


def engine(*rules: Rule, **given: Any) -> Engine:
    return Engine(rules, **{"log": LOG, "interval": STEP, "clock": None, **given})


def run(judge: Engine, source: Numbers, steps: int, first: int = 0) -> list[Transition]:
    """What there is to tell in all steps."""
    told = []
    for number in range(first, first + steps):
        told += judge.evaluate(START + number * STEP, source)
    return told


def states(judge: Engine, source: Numbers, steps: int, first: int = 0) -> str:
    """One letter a step: p, f, r or -."""
    made = ""
    for number in range(first, first + steps):
        judge.evaluate(START + number * STEP, source)
        made += "".join(alert.state[0] for alert in judge.alerts()) or "-"
    return made
