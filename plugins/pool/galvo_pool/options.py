"""What a pool can do beyond asyncpg's: the keywords that `create_pool` has in addition, and their defaults."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Options:
    """Times are in seconds; None means no limit."""

    acquire_timeout: float | None = None
    """How long a caller that gives no timeout waits for a connection; then TimeoutError."""
    max_waiting: int | None = None
    """So many may wait for a connection; whoever comes then gets PoolBusy at once."""
    reset_when: Literal["needed", "always"] = "needed"
    """"needed": connections are reset if a statement may have left a trace, which the cache's analysis tells."""
    max_lifetime: float = 3600.0
    """A connection is replaced after this, give or take a tenth; 0: never."""
    check_after_idle: float = 30.0
    """A connection that was idle for longer is asked whether it still answers before it is lent."""
    check_timeout: float = 2.0
    """How long that may take."""
    leak_after: float = 300.0
    """A connection that is lent for longer and runs nothing is reported, with the line that took it; 0: never."""
    reclaim_after: float = 0.0
    """And one that is lent for this long is closed, whatever it does; 0: never."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and value < 0:
                raise ValueError(f"{field.name} is expected to be greater or equal to zero")
        if self.reset_when not in ("needed", "always"):
            raise ValueError(f"reset_when is 'needed' or 'always', not {self.reset_when!r}")

    def ends(self, now: float) -> float:
        """When a connection opened `now` is to be replaced: not all of them at once."""
        return now + self.max_lifetime * random.uniform(0.9, 1.1) if self.max_lifetime else float("inf")  # noqa: S311


NAMES = frozenset(field.name for field in fields(Options))


def taken(keywords: dict[str, Any]) -> Options:
    """The options among `keywords`, which loses them."""
    return Options(**{name: keywords.pop(name) for name in NAMES & keywords.keys()})
