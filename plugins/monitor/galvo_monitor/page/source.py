"""Where the page's numbers come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from galvo_monitor.view import View


class Past(Protocol):
    """Points in order; None is a gap."""

    @property
    def times(self) -> Sequence[float]:
        """Seconds since the epoch."""

    @property
    def means(self) -> Sequence[float | None]: ...

    @property
    def highs(self) -> Sequence[float | None]: ...


class Source(Protocol):
    """What the monitor plugin is to the page. Times are seconds since the epoch."""

    def view(self) -> View | None:
        """The latest; None while there is none."""

    def past(self, series: str, start: float, end: float, points: int) -> Past | None:
        """`series` is its name, `str(Series)`; None when there is no such."""

    async def wait(self, after: float) -> View:
        """The next view that is later than `after`."""
