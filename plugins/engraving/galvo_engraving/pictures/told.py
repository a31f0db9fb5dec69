"""What is known of a raster that is being made."""

from __future__ import annotations

from dataclasses import dataclass

from galvo_engraving.pictures.models import State

ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled"})
LOST = "nobody works on it any more: ask for it again"
BROKEN = "it could not be made: ask for it again"


@dataclass(frozen=True, slots=True)
class Told:
    state: State
    done: int = 0
    """Lines, of `total`."""
    total: int = 0
    """0: it has not begun."""
    problem: str | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED
