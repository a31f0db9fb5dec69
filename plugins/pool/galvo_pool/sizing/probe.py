"""Probes: for a moment few statements run, so that one sees what they take on a server with little to do."""

from __future__ import annotations

from galvo_pool.sizing.statements import Statements, Window

QUIET = 2
"""With so few at once a baseline is measured."""
LONGEST = 16
"""Ticks a probe may take; statements are longer than that only seldom."""
HASTY, CROWDED, SOON, LATE = 4, 20, 80, 640
"""Ticks between probes: while baselines are missing, before it shrinks at once, while baselines change, and when they
do not."""
ALIKE = 0.8
"""A ratio of times of which noise makes nothing else."""


class Probe:
    __slots__ = ("at", "before", "ratio", "ticks")

    def __init__(self, at: int, before: int, ratio: float) -> None:
        self.at = at
        """The limit while it lasts."""
        self.before = before
        """The limit to return to."""
        self.ratio = ratio
        """Of statement time to baseline, before it."""
        self.ticks = 0

    @property
    def over(self) -> bool:
        return self.ticks >= LONGEST


class Schedule:
    """When to probe, and what follows from it. Each probe costs throughput, so they get rarer."""

    __slots__ = ("_hasty", "_until", "since")

    def __init__(self) -> None:
        self.since = LATE
        """Ticks since the last one."""
        self._hasty, self._until = float(HASTY), SOON

    def due(self, proven: float, crowded: bool) -> bool:
        """`proven`: the share of time with a known baseline; `crowded`: so much latency that it is to be checked."""
        self._hasty = max(HASTY, self._hasty * 0.99)
        return self.since >= (self._hasty if proven < 0.5 else CROWDED if crowded else self._until)

    def begin(self, value: int, window: Window) -> Probe:
        self.since = 0
        # Where a baseline is only checked, a quarter shows the same and costs less.
        return Probe(QUIET if window.proven < 0.5 else max(QUIET, value // 4), value, window.ratio)

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
