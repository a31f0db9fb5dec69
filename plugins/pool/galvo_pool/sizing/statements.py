"""How long statements take, against what each of them takes when the server has little to do."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

MOST = 256
"""Statements that are told apart; the others share one entry."""
CLIP = 8.0
"""A longer time than this many baselines is a lock or a pause: it counts, but no more than this."""
TRUSTED = 8
"""Times that make a mean."""


class Statement:
    __slots__ = ("baseline", "clip", "count", "proven", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        """Seconds, of `count` runs since the last window."""
        self.baseline = 0.0
        """Seconds; 0: not known."""
        self.clip = inf
        self.proven = False
        """The baseline was measured while few statements ran."""

    def learn(self, mean: float, weight: float, *, quiet: bool) -> None:
        """The baseline follows downwards always, upwards only what was measured while few ran."""
        if not self.baseline or (quiet and not self.proven):
            self.baseline = mean
        elif quiet or mean < self.baseline:
            self.baseline += (mean - self.baseline) * weight
        self.proven = self.proven or quiet
        self.clip = CLIP * self.baseline


class Window(NamedTuple):
    """What was measured since the window before."""

    ratio: float
    """What statements took, to what they take on a quiet server by what was known before; 0: nothing is known."""
    proven: float
    """The share of the time that was spent in statements whose baseline was measured on a quiet server."""
    work: float
    """Seconds that the same statements take on a quiet server: what was done, whatever the mix."""
    seconds: float
    """What they took, all together."""
    mean: float
    """What each of them took."""


class Statements:
    """Texts are known by their hash, so that long ones take no memory."""

    __slots__ = ("_known", "_others")

    def __init__(self) -> None:
        self._known: dict[int, Statement] = {}
        self._others = Statement()

    def record(self, sql: str, seconds: float) -> None:
        """A statement took `seconds`; costs about 0.2 us."""
        statement = self._known.get(hash(sql))
        if statement is None:
            statement = self._first(sql)
        statement.count += 1
        statement.total += seconds if seconds < statement.clip else statement.clip

    def _first(self, sql: str) -> Statement:
        """A first run is slower than the others (it is prepared), and of a text that never comes again it is the only
        one: both are told from nothing, so they are counted together."""
        if len(self._known) < MOST:
            self._known[hash(sql)] = Statement()
        return self._others

    def count(self) -> int:
        """Statements in the window so far."""
        return sum(statement.count for statement in self._all())

    def window(self, *, quiet: bool, weight: float = 0.3) -> Window:
        """End the window. `quiet`: only few statements ran at once in it; `weight`: how far to believe it, 0 to 1."""
        seconds = sum(statement.total for statement in self._all())
        actual = expected = proven = work = 0.0
        for statement in self._compared(seconds):
            mean = statement.total / statement.count
            trust = min(1.0, statement.count / TRUSTED)
            quietly = statement.count * (statement.baseline or mean)
            work += quietly
            actual += statement.total * trust
            expected += quietly * trust
            statement.learn(mean, weight * trust, quiet=quiet)
            proven += statement.total if statement.proven else 0.0
        mean = seconds / max(1, self.count())
        self.drop()
        known = proven / seconds if seconds else 0.0
        return Window(actual / expected if expected else 0.0, known, work, seconds, mean)

    def rebase(self, factor: float) -> None:
        """Everything takes `factor` times as long as it did, whoever else runs."""
        for statement in self._all():
            statement.baseline *= factor
            statement.clip *= factor

    def _all(self) -> list[Statement]:
        return [*self._known.values(), self._others]

    def _compared(self, seconds: float) -> list[Statement]:
        """Those that ran; the mixed rest only when there is hardly anything else."""
        found = [statement for statement in self._known.values() if statement.count]
        if self._others.count and self._others.total > seconds / 2:
            found.append(self._others)
        return found

    def drop(self) -> None:
        """Forget the window's times, not the baselines."""
        if len(self._known) >= MOST:  # make room: what ran least goes
            ranked = sorted(self._known.items(), key=lambda item: item[1].total, reverse=True)
            self._known = dict(ranked[: MOST // 2])
        for statement in self._all():
            statement.count = 0
            statement.total = 0.0
