"""A wall clock that was set must neither fire nor end an alert."""

from __future__ import annotations

from collections.abc import Callable

LEAST = 2.0
"""Seconds by which the wall clock may run ahead or behind between two looks: it is being slewed."""


class Jumps:
    """How far the wall clock has jumped since the last look, by another clock that never does."""

    def __init__(self, clock: Callable[[], float] | None) -> None:
        """`clock`: seconds; None: the wall clock is trusted."""
        self._clock = clock
        self._last: tuple[float, float] | None = None

    def look(self, now: float) -> float:
        """Seconds; 0 for none. `now`: the wall clock's."""
        if self._clock is None:
            return 0.0
        steady, last = self._clock(), self._last
        self._last = now, steady
        if last is None:
            return 0.0
        jump = (now - last[0]) - (steady - last[1])
        return jump if abs(jump) > LEAST else 0.0
