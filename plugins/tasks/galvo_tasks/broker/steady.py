"""Whether the leases of others can be judged: not before all who live have had the time to renew theirs."""

from __future__ import annotations


class Steady:
    """True once Redis has answered in time, and its clock has gone as ours has, for as long as a lease.

    When it was restarted, paused or out of reach, or its clock was set, all leases may look expired at once.
    Units: seconds.
    """

    def __init__(self, lease: float) -> None:
        self._lease = lease
        self._since: float | None = None
        self._last: tuple[float, float] | None = None

    def seen(self, asked: float, answered: float, server: float) -> None:
        """It was asked and answered at these monotonic times, and told its own."""
        if self._last is not None:
            ours, theirs = answered - self._last[0], server - self._last[1]
            if answered - asked > self._lease / 3 or ours > self._lease * 0.7 or abs(theirs - ours) > self._lease / 3:
                self._since = None
        if self._since is None:
            self._since = answered
        self._last = answered, server

    def interrupted(self) -> None:
        self._since = self._last = None

    def __bool__(self) -> bool:
        return self._since is not None and self._last is not None and self._last[0] - self._since >= self._lease
