"""What was measured, for as long as it is worth: fine for a day, less so for three months."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final

from galvo_local import printable
from galvo_monitor.series import Series, Values
from galvo_monitor.store.past import Past, drawn
from galvo_monitor.store.ring import Point, Ring
from galvo_monitor.store.rollup import Moments, RollUp

DAY: Final = 86_400.0
RAW: Final = 2880
"""Moments that are kept one by one: a day of them at 30 s."""
ROLL_UPS: Final = ((30.0, DAY), (300.0, 7 * DAY), (3600.0, 90 * DAY))
"""Step and span. The first is for intervals so short that the moments themselves do not last for a day."""


def kept_singly(interval: float) -> float:
    """Seconds for which every value is kept, of one each `interval` seconds."""
    return min(DAY, RAW * interval)


class Store:
    """Of the thread that made it, but for `restore`."""

    def __init__(self, *, interval: float, most: int = 64, log: logging.Logger | None = None) -> None:
        """`interval`: seconds between two moments. `most`: series; what comes later does not fit, unless `needed`."""
        self.interval = interval
        self.most = most
        self.needed: Callable[[Series], bool] = lambda _: False
        """Whether a series has to be kept: an alert's number, without which it would never fire."""
        self.refused = 0
        """Series that did not fit the last time."""
        self.problem: str | None = None
        """Says so, in a sentence."""
        self._log = log or logging.getLogger("galvo.monitor")
        self._told = False
        span = kept_singly(interval)
        self._raw = Ring(interval, max(1, round(span / interval)), 1, "d")
        self._roll_ups = [
            RollUp(step, reach)
            for step, reach in ROLL_UPS
            if step >= interval and not (step == interval and reach <= span)
        ]
        self._rings: list[Ring | RollUp] = [self._raw, *self._roll_ups]
        """The finest first."""
        self._seen: dict[Series, int] = {}
        """The last moment, counted since the start, that each series had a value in."""
        self._moment = 0
        self._names: dict[str, Series] = {}

    def append(self, at: float, values: Values) -> None:
        """`at`: seconds since the epoch. Values that are no finite numbers are gaps."""
        self._moment += 1
        finite = {series: value for series, value in values.items() if math.isfinite(value)}
        self._seen.update({series: self._moment for series in finite if series in self._seen})
        fresh = [series for series in finite if series not in self._seen]
        for series in sorted(fresh, key=lambda one: not self.needed(one)):
            if not self._admit(series):
                break
        known = {series: value for series, value in finite.items() if series in self._seen}
        self._raw.append(at, {series: (value,) for series, value in known.items()})
        for roll_up in self._roll_ups:
            roll_up.add(at, known)
        left = [series for series in fresh if series not in self._seen]
        self.refused = len(left)
        self.problem = None
        if left:
            self.problem = (
                f"{len(left)} series do not fit into the {self.most} of the store, the first is "
                f"{printable(str(left[0]))}: raise series under [monitor]"
            )
            if not self._told:
                self._log.warning("%s", self.problem)
            self._told = True

    def select(self, metric: str, aggregate: str, attributes: Mapping[str, str] = {}) -> list[Series]:
        """All series of `metric` that have `attributes`, with these values, and maybe more."""
        wanted = set(attributes.items())
        return [
            series
            for series in self._seen
            if series.metric == metric and series.aggregate == aggregate and wanted.issubset(series.attributes)
        ]

    @property
    def known(self) -> list[Series]:
        """All that has a past here, the oldest first."""
        return list(self._seen)

    def named(self, name: str) -> Series | None:
        """The series whose `str()` is `name`."""
        return self._names.get(name)

    def window(self, series: Series, now: float, seconds: float) -> list[float]:
        """Values in (now - seconds, now], oldest first, without gaps."""
        moments = self._raw.between(series, now - seconds, now)
        return [point[0] for _, point in moments if not math.isnan(point[0])]

    def latest(self, series: Series) -> float | None:
        """The value of the last moment; None when it had none."""
        (value,) = self._raw.newest(series)
        return None if math.isnan(value) else value

    def past(self, series: Series, start: float, end: float, points: int = 500) -> Past:
        """What lies in (start, end], from the finest ring that reaches back to `start`, or as far as any does."""
        ring = self._reaching(start)
        return drawn(ring.between(series, start, end), ring.step, max(1, points))

    def rolled(self, step: float, after: float, most: int | None = None) -> list[tuple[float, dict[Series, Point]]]:
        """Stretches of `step` seconds that are over and are later than `after`: when they ended, mean and highest; the
        `most` oldest of them."""
        roll_up = self._roll_up(step)
        return [] if roll_up is None else [*islice(roll_up.ring.moments(after), most)]

    def restore(self, kept: Mapping[float, Moments]) -> None:
        """What another process has kept, by step. What did not end before this store began is its own.

        Takes seconds. In another thread nothing may be appended or selected meanwhile, but `past` and `named` may.
        """
        began = min((ring.earliest for ring in self._rings if ring.earliest is not None), default=math.inf)
        older = {step: {at: points for at, points in kept.get(step, {}).items() if at < began} for step in self.steps}
        if not any(older.values()):
            return
        newest: dict[Series, float] = {}
        for moments in older.values():
            for at, points in moments.items():
                for series in points:
                    newest[series] = max(at, newest.get(series, at))
        for series in sorted(newest, key=newest.__getitem__, reverse=True):
            if series not in self._seen:
                self._admit(series)
        finer: Moments = {}
        step = self.interval
        for roll_up in self._roll_ups:
            admitted = {
                at: {series: point for series, point in points.items() if series in self._seen}
                for at, points in older[roll_up.step].items()
            }
            roll_up.restore(admitted, finer, step, max(1.0, step / self.interval))
            finer, step = admitted, roll_up.step

    @property
    def steps(self) -> list[float]:
        """Seconds of the stretches that are rolled up."""
        return [roll_up.step for roll_up in self._roll_ups]

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def nbytes(self) -> int:
        return self._raw.nbytes + sum(roll_up.ring.nbytes for roll_up in self._roll_ups)

    def _roll_up(self, step: float) -> RollUp | None:
        return next((roll_up for roll_up in self._roll_ups if roll_up.step == step), None)

    def _reaching(self, start: float) -> Ring | RollUp:
        """The finest ring that has all since `start`, or as much as there is: a step or two do not count."""
        rings = [(ring, ring.earliest) for ring in self._rings]
        reach = max(start, min((earliest for _, earliest in rings if earliest is not None), default=start))
        return next((ring for ring, first in rings if first is not None and first - 2 * ring.step <= reach), self._raw)

    def _admit(self, series: Series) -> bool:
        """False: there is no room."""
        if len(self._seen) >= self.most and not self._make_room(needed=self.needed(series)):
            return False
        self._seen[series] = self._moment
        self._names[str(series)] = series
        return True

    def _make_room(self, *, needed: bool) -> bool:
        """The series that has been silent for longest makes it, if it was for a day.

        For what is needed it is any that is not, the newest first: the first ones are the system's own; if all of them
        are needed, there is one more.
        """
        silent = min(self._seen, key=self._seen.__getitem__)
        if self._moment - self._seen[silent] >= self._raw.slots:
            self._drop(silent)
        elif not needed:
            return False
        elif drawn := [one for one in reversed(self._seen) if not self.needed(one)]:
            self._drop(min(drawn, key=self._seen.__getitem__))
        return True

    def _drop(self, series: Series) -> None:
        del self._seen[series], self._names[str(series)]
        for ring in self._rings:
            ring.drop(series)
