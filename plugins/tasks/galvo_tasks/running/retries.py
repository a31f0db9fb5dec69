"""When a task that has failed is tried again, and when no more."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from galvo_tasks.running.errors import BadBackoff

STATE = "galvo-backoff"
"""Header: [the last wait, the sum of all], in seconds."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with decorrelated jitter, in seconds.

    Each wait is drawn evenly between `floor` and `factor` times the last one (at first: `first`), and is `most` at
    most. Marc Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015. Raises BadBackoff.

    >>> @app.task(backoff=Backoff(first=0.5, budget=600, on={ValueError: None, TimeoutError: Backoff(first=30)}))
    """

    first: float = 1.0
    factor: float = 3.0
    most: float = 300.0
    floor: float = 0.5
    """No wait is shorter."""
    budget: float = 3600.0
    """All waits of a task together; then it has failed."""
    on: Mapping[type[Exception], Backoff | None] = field(default_factory=dict)
    """What holds for this exception and its subclasses instead; None: it is not tried again."""

    def __post_init__(self) -> None:
        if not 0 < self.floor <= self.first <= self.most < float("inf"):
            raise BadBackoff(f"{self}: 0 < floor <= first <= most is wanted")
        if not 1 < self.factor < float("inf"):
            raise BadBackoff(f"{self}: a factor above 1 is wanted")
        if not 0 <= self.budget < float("inf"):
            raise BadBackoff(f"{self}: a budget of 0 or more seconds is wanted")

    def policy(self, error: BaseException) -> Backoff | None:
        """What holds for `error`: the nearest of its classes that `on` names."""
        return next((self.on[kind] for kind in type(error).__mro__ if kind in self.on), self)

    def wait(self, last: float | None) -> float:
        """Drawn."""
        ceiling = max(self.factor * (self.first if last is None else last), self.floor)
        return min(self.most, random.uniform(self.floor, ceiling))  # noqa: S311  # nobody gains by guessing it


@dataclass(frozen=True, slots=True)
class Waits:
    """Those of one task so far."""

    last: float | None = None
    total: float = 0.0

    @classmethod
    def of(cls, header: object) -> Waits:
        """As a message tells them; what it tells otherwise counts as none."""
        match header:
            case [float() | int() as last, float() | int() as total] if 0 <= last <= total < float("inf"):
                return cls(float(last), float(total))
        return cls()

    def next(self, policy: Backoff) -> Waits | None:
        """With one more; None: the budget does not allow it."""
        wait = policy.wait(self.last)
        return Waits(wait, self.total + wait) if self.total + wait <= policy.budget else None

    @property
    def header(self) -> list[float]:
        return [self.last or 0.0, self.total]
