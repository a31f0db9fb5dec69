"""Which of two limits makes the server do more: tried in turns, until the difference stands out of the noise."""

from __future__ import annotations

from math import log, sqrt
from statistics import fmean, stdev

WORTH = log(1.03)
"""Half as many connections again are worth it for 3 % more throughput; twice as many for more than that."""
PACE, TURN = 0.025, 0.05
"""Seconds between ticks in a trial, and of a turn at least. Short turns, because a machine's noise is slow: over the
same 8 s, turns of 0.25 s leave an error about three times as large."""
SETTLED = 2
"""Statements for each connection, after which a turn begins: none of them began under the other limit."""
PATIENCE = 1.0
"""Seconds without use for the turn's limit (connections may be opening), after which the trial is in vain."""
COLD = 4
"""Turns that do not count: new connections' caches are cold."""
FEWEST, MOST = 12, 64
"""Pairs of turns."""
STEP, LARGE = 1.5, 2.0
"""Limits that are compared differ by these factors: a small gain of half as many more is lost in the noise."""
REST, RESTED = 20, 320
"""Ticks between rounds of trials: at first, and when they keep finding nothing better."""
OTHER = 1.4
"""When the ratio of statement time to baseline has changed by this factor, it is another load."""
SURE = 1.5
"""Standard errors by which the gain must differ from what is worth it; if it never does, fewer are enough."""
AGREE, CLEAR = 4, 5.0
"""Pairs and standard errors that are enough before there are FEWEST: the worse half of a trial is lost work."""
NOISE = 0.005
"""The standard error is never believed to be less."""


class Trial:
    """Turns go low, high, high, low, low ...: the machine's drift hits both alike, and limits change only every other
    turn. Pairs of neighbours are compared, as a ratio."""

    __slots__ = (
        "_began", "_busy", "_gains", "_last", "_turn", "_used", "_waiting", "_worth", "high", "home", "low",
    )  # fmt: skip

    def __init__(self, low: int, high: int, home: int, now: float) -> None:
        self.low, self.high = low, high
        self.home = home
        """The one of the two that held before."""
        self._turn = 0
        self._last = 0.0
        self._gains: list[float] = []
        self._worth = WORTH * log(high / low) / log(STEP)
        self._waiting = self._busy = 0
        self._used = now
        self._began: float | None = None
        """When the turn began; None: the limit has just changed, what runs began under the other one."""

    @property
    def value(self) -> int:
        """The limit of this turn."""
        return self.low if self._turn % 4 in (0, 3) else self.high

    @property
    def used(self) -> bool:
        """Whether this turn's limit was reached, and at the lower one somebody waited for more."""
        return self._makes_use(self._waiting, self._busy)

    def _makes_use(self, waiting: int, busy: int) -> bool:
        return busy >= self.value and (waiting > 0 or self.value == self.high)

    def seen(self, now: float, waiting: int, busy: int) -> None:
        """Since the last tick, at most."""
        self._waiting, self._busy = max(self._waiting, waiting), max(self._busy, busy)
        if self._makes_use(waiting, busy):
            self._used = now

    def settled(self, now: float, count: int) -> bool:
        """Whether the turn begins now, after `count` statements under its limit."""
        if self._began is not None or count < SETTLED * self.value or not self.used:
            return False
        self._waiting = self._busy = 0
        self._began = now
        return True

    def over(self, now: float, count: int) -> bool:
        """Whether the turn has lasted long enough."""
        return self._began is not None and now - self._began >= TURN and count >= self.value

    def in_vain(self, now: float) -> bool:
        return now - self._used > PATIENCE

    def turn(self, now: float, work: float) -> int:
        """The turn is over, so much `work` (> 0) was done in it. The better limit, or 0: go on with the next turn."""
        rate = work / max(1e-9, now - (self._began or 0.0))
        if self._turn % 2 and self._turn > COLD:
            high, low = (rate, self._last) if self._turn % 4 == 1 else (self._last, rate)
            self._gains.append(log(high / low))
        self._turn += 1
        self._last = rate
        self._waiting = self._busy = 0
        self._began = None if self._turn % 2 else now
        return self._verdict() if self._turn % 2 == 0 and len(self._gains) >= AGREE else 0

    def _verdict(self) -> int:
        pairs = len(self._gains)
        gain = fmean(self._gains)
        error = max(NOISE, stdev(self._gains) / sqrt(pairs))
        if abs(gain - self._worth) < (SURE if pairs >= FEWEST else CLEAR) * error:
            return 0 if pairs < MOST else self.low
        return self.high if gain > self._worth else self.low


class Rounds:
    """Trials follow each other as long as they find something better: upwards first, then downwards."""

    __slots__ = ("_found", "_left", "_rest", "more_is_no_better")

    def __init__(self) -> None:
        self.more_is_no_better = False
        """As the last trials have shown."""
        self._rest = REST
        self._left = 0
        """Ticks until the next round."""
        self._found = 0.0
        """The ratio of statement time to baseline when the last round ended; 0: not known."""

    @property
    def resting(self) -> bool:
        return self._left > 0

    def tick(self, ratio: float) -> None:
        self._left -= 1
        if self.resting and ratio:
            self._found = self._found or ratio
            if not 1 / OTHER < ratio / self._found < OTHER:
                self._left, self._rest = 0, REST

    def ended(self, trial: Trial, better: int) -> bool:
        """Whether that was the last trial of a round: neither more nor fewer is better."""
        if better != trial.home:
            self._rest = REST
            self.more_is_no_better = better < trial.home
            return False
        last = trial.home == trial.high
        self.more_is_no_better = not last
        return last

    def settle(self, ratio: float) -> None:
        """What is there is best: look again later."""
        self.more_is_no_better = False
        self._found, self._left = ratio, self._rest
        self._rest = min(RESTED, self._rest * 2)
