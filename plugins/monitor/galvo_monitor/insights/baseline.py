"""What is usual of one number, and whether it is that now.

An exponentially weighted mean and variance of its logarithm, which learn nothing while it is suspicious: a baseline
that goes on learning has swallowed an incident within a minute or two (research, operations.md section 4). How often
a number is suspicious though nothing has changed is learned, and where some often are it takes more of them in a row.
"""

from __future__ import annotations

import math

MEMORY = 1500.0
"""Seconds after which a number has lost two thirds of its weight."""
WARM_UP, FEWEST = 600.0, 20
"""Seconds, and numbers at least, before anything is called unusual."""
BAND = 4.0
"""Standard deviations."""
LEAVES, RETURNS = 3, 10
"""Numbers in a row outside of the band that make an incident, and inside of the narrower one that end it."""
AT_ONCE = 2
"""Numbers in a row that are enough when they are twice as far out."""
CHANCE = 1e-5
"""That so many are outside in a row though nothing has changed."""
CALM, LONG = 50, 500
"""Numbers without one outside that are supposed before the first, and over which it is known how often one is."""
NARROWER = 0.6
FROZEN = 3600.0
"""Seconds after which what was unusual is the usual."""


class Baseline:
    def __init__(self, *, interval: float, least: float, factor: float = 2.0) -> None:
        """`interval`: seconds from one number to the next. Nothing below `least` differs from it; what is less than
        `factor` times the usual is never unusual.
        """
        self._weight = min(0.2, interval / MEMORY)
        self._warm_up = max(FEWEST, round(WARM_UP / interval))
        self._longest = max(4 * RETURNS, round(FROZEN / interval))
        self._least = least
        self._factor = math.log(factor)
        self._mean = self._variance = self._plain = 0.0
        self._seen = 0
        self._counted = self._outliers = self._strays = 0.0
        """In the last `LONG`: numbers, those outside that made no incident, those of them that were twice as far."""
        self._out = self._far = self._in = self._frozen = 0
        self._left = False
        """Outside since `LEAVES` numbers, until `RETURNS` were inside."""
        self._unusual = False

    @property
    def unusual(self) -> bool:
        """The last number is, and was part of an incident."""
        return self._left and self._unusual

    @property
    def outside(self) -> int:
        """Numbers since the first one outside, while it is not known or not over; 0: all is usual."""
        return self._frozen

    @property
    def usual(self) -> float:
        """The geometric mean."""
        return math.exp(self._plain) if self._seen else 0.0

    def add(self, value: float | None) -> None:
        """`value` is not negative; None: there is none this time."""
        self._unusual = False
        if self._frozen:
            self._frozen += 1
            if self._frozen > self._longest:
                self._begin_anew()
        if value is None:
            self._inside()
            return
        logarithm = math.log(max(value, self._least))
        band = max(BAND * math.sqrt(self._variance), self._factor)
        distance = logarithm - self._mean
        if self._seen >= self._warm_up and distance > band * (NARROWER if self._left else 1.0):
            self._unusual = True
            self._in = 0
            self._out += 1
            self._far += distance > 2 * band
            self._frozen = max(1, self._frozen)
            if not self._left:
                near, far = self._enough(self._outliers), self._enough(self._strays)
                self._left = self._out >= max(LEAVES, near) or self._far >= max(AT_ONCE, far)
            return
        self._inside()
        if not self._frozen:
            self._learn(logarithm, math.log(max(value, 1e-9)))
            self._count()

    def _enough(self, outliers: float) -> int:
        """Numbers in a row that are no chance."""
        often = (outliers + 0.05) / (self._counted + CALM)
        return math.ceil(math.log(CHANCE) / math.log(often))

    def _count(self, numbers: int = 1, outliers: int = 0, strays: int = 0) -> None:
        left = 1 - numbers / LONG
        self._counted = left * self._counted + numbers
        self._outliers, self._strays = left * self._outliers + outliers, left * self._strays + strays

    def _inside(self) -> None:
        if not self._left and self._out:
            self._count(self._out, self._out, self._far)
        self._out = self._far = 0
        self._in += 1
        if not self._left or self._in >= RETURNS:
            self._left, self._frozen = False, 0

    def _learn(self, logarithm: float, plain: float) -> None:
        self._seen += 1
        weight = max(self._weight, 1 / self._seen)
        distance = logarithm - self._mean
        self._mean += weight * distance
        self._plain += weight * (plain - self._plain)
        self._variance = (1 - weight) * (self._variance + weight * distance * distance)

    def _begin_anew(self) -> None:
        self._mean = self._variance = self._plain = 0.0
        self._seen = self._out = self._far = self._in = self._frozen = 0
        self._counted = self._outliers = self._strays = 0.0
        self._left = False
