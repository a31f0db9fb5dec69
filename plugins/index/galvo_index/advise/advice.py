"""What the advisor says."""

from __future__ import annotations

from typing import Literal

import msgspec

from galvo_index.definition import Definition

Verified = Literal["run", "hypopg", "sample", "no"]
"""How: statements really ran on a sample; the planner was asked with a hypothetical index, or with a real one on a
sampled copy; not at all (then it is a suggestion to try, and is never applied by itself)."""


class Gain(msgspec.Struct, frozen=True):
    """What all advised indexes together change for a statement that uses this one."""

    sql: str
    before: float
    """The planner's cost of one call, without and with them."""
    after: float
    calls: float = 1
    seconds: float = 0.0
    """Of all calls together, as measured before; 0: not measured."""

    @property
    def ratio(self) -> float:
        """The part of the cost that remains: 1 is no gain."""
        return self.after / self.before if self.before else 1.0


class Advice(msgspec.Struct, frozen=True):
    definition: Definition
    bytes: int
    """Estimated size, with what B-trees save by deduplication."""
    gains: tuple[Gain, ...]
    """Of the statements whose plans use it, greatest first."""
    verified: Verified
    build: float = 0.0
    """Seconds that creating it is estimated to take."""
    writes: float = 0.0
    """The part that it adds to the work of the table's writes: 0.5 is half as much again."""
    partitions: int = 0
    """Of its table; then it cannot be built concurrently as a whole, only partition by partition."""
    reason: str = ""
    """Why this index, in one sentence."""
