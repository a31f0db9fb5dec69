"""Probes: for a moment few statements run, so that one sees what they take on a server with little to do.

All others wait for that, so what it costs is bounded. A probe of short statements takes two ticks: those that run end
in the first, enough of them run in the second. One of long statements would hold up the others for several times what
they take, and nothing is won by it while nobody waits: either must have been paid for by the same load (`PAYS`), so a
burst of sleeps, locks or reports is not probed. A burst that has just begun looks like what ran before it, so a probe
that was to be short is given up after its first tick when hardly more has ended in it than those that ran. And no
probe goes on for longer than the same statements took before it.
"""

from __future__ import annotations

from math import ceil

from galvo_pool.sizing.statements import TRUSTED, Statements, Window

QUIET = 2
"""With so few at once a baseline is measured."""
TICK = 0.25
"""Seconds."""
LONGEST = 16
"""Ticks a probe may take at most."""
PAYS = 10
"""A probe that costs much begins after so many times its length under the load that it is for."""
HASTY, CROWDED, SOON, LATE = 4, 20, 80, 640
"""Ticks between probes: while baselines are missing, before it shrinks at once, while baselines change, and when they
do not."""
ALIKE = 0.8
"""A ratio of times of which noise makes nothing else."""


class Probe:
    __slots__ = ("_most", "_quick", "at", "before", "ratio", "ticks")

    def __init__(self, at: int, before: int, window: Window, *, crowded: bool) -> None:
        self.at = at
        """The limit while it lasts."""
        self.before = before
        """The limit to return to."""
        self.ratio = window.ratio
        """Of statement time to baseline, before it."""
        self.ticks = 0
        self._most = min(LONGEST, ceil(length(at, window.mean) / TICK))
        self._quick = not crowded and short(at, window.mean)

    @property
    def over(self) -> bool:
        return self.ticks >= self._most

    def in_vain(self, count: int) -> bool:
        """After its first tick, in which `count` have ended, while others wait: long ones run, not those of before."""
        return self._quick and count < self.before + QUIET


def short(at: int, mean: float) -> bool:
    """Whether enough statements of `mean` seconds end in a tick, `at` at once."""
    return mean * TRUSTED / at <= TICK


def length(at: int, mean: float) -> float:
    """Seconds that a probe takes at most when statements take no longer than before: `mean` seconds each."""
    return 2 * TICK + mean * (1 + TRUSTED / at)


class Schedule:
    """When to probe, and what follows from it. Each probe costs throughput, so they get rarer."""

    __slots__ = ("_hasty", "_paid", "_until", "since")

    def __init__(self) -> None:
        self.since = LATE
        """Ticks since the last one."""
        self._hasty, self._until = float(HASTY), SOON
        self._paid = 0.0
        """Seconds that each connection has worked under a load of which a probe costs much."""

    def due(self, value: int, window: Window, *, waiting: int, crowded: bool) -> bool:
        """`crowded`: so much latency that it is to be checked, or the limit would shrink for nothing."""
        self._hasty = max(HASTY, self._hasty * 0.99)
        at = _few(value, window)
        much = not waiting or not short(at, window.mean)
        self._paid = self._paid + window.seconds / value if much else 0.0
        if much and not crowded and self._paid < PAYS * length(at, window.mean):
            return False
        return self.since >= (self._hasty if window.proven < 0.5 else CROWDED if crowded else self._until)

    def begin(self, value: int, window: Window, *, crowded: bool) -> Probe:
        self.since, self._paid = 0, 0.0
        return Probe(_few(value, window), value, window, crowded=crowded)

    def end(self, probe: Probe, statements: Statements, *, quiet: bool) -> float:
        """What the ratio is at the limit before, now that the baselines are better known."""
        ratio = statements.window(quiet=quiet, weight=0.8).ratio or 1.0
        if not quiet and ratio > max(1 / ALIKE, ALIKE * probe.ratio):
            statements.rebase(ratio)  # a fraction at once and no faster: it is not our load
        elif not quiet:
            ratio = min(1.0, ratio)
        self._hasty = min(LATE, self._hasty * 2)
        self._until = min(LATE, self._until * 2) if ALIKE < ratio < 1 / ALIKE else SOON
        return probe.ratio / ratio


def _few(value: int, window: Window) -> int:
    """The limit of a probe: where a baseline is only checked, a quarter shows the same and costs less."""
    return QUIET if window.proven < 0.5 else max(QUIET, value // 4)
