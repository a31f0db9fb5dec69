"""Which of two limits makes the server do more: tried in turns, until the difference stands out of the noise."""

from __future__ import annotations

from math import log, sqrt
from statistics import fmean, stdev

WORTH = log(1.02)
"""Half as many connections again are worth it for 2 % more throughput; twice as many for more than that."""
FEWEST, MOST = 5, 16
"""Pairs of turns."""
STEP, LARGE = 1.5, 2.0
"""Limits that are compared differ by these factors: a small gain of half as many more is lost in the noise."""
REST, RESTED = 20, 320
"""Ticks between rounds of trials: at first, and when they keep finding nothing better."""
OTHER = 1.4
"""When the ratio of statement time to baseline has changed by this factor, it is another load."""
CLEAR = 0.1
"""When the first two pairs agree on a gain or a loss of so much more, that is enough."""
SURE = 1.5
"""Standard errors by which the gain must differ from what is worth it, or all pairs are used up."""
NOISE = 0.005
"""The standard error is never believed to be less."""


class Trial:
    """Turns go low, high, high, low, low ...: the machine's drift hits both alike, and limits change only every other
    turn. Pairs of neighbours are compared, as a ratio."""

    __slots__ = ("_gains", "_last", "_turn", "_worth", "high", "home", "low")

    def __init__(self, low: int, high: int, home: int) -> None:
        self.low, self.high = low, high
        self.home = home
        """The one of the two that held before."""
        self._turn = 0
        self._last = 0.0
        self._gains: list[float] = []
        self._worth = WORTH * log(high / low) / log(STEP)

    @property
    def value(self) -> int:
        """The limit of this turn."""
        return self.low if self._turn % 4 in (0, 3) else self.high

    def turn(self, rate: float) -> int:
        """The turn is over, `rate` was done per second (> 0). The better limit, or 0: go on with the next turn."""
        if self._turn % 2 and self._turn > 1:  # in the first two, connections are opened and their caches are cold
            high, low = (rate, self._last) if self._turn % 4 == 1 else (self._last, rate)
            self._gains.append(log(high / low))
        self._turn += 1
        self._last = rate
        return self._verdict() if self._turn % 2 == 0 and len(self._gains) >= 2 else 0

    def _verdict(self) -> int:
        if min(self._gains) > self._worth + CLEAR:
            return self.high
        if max(self._gains) < self._worth - CLEAR:
            return self.low
        if len(self._gains) < FEWEST:
            return 0
        gain = fmean(self._gains)
        error = max(NOISE, stdev(self._gains) / sqrt(len(self._gains)))
        if abs(gain - self._worth) < SURE * error and len(self._gains) < MOST:
            return 0
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
