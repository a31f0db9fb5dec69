"""One thing that is so: said by itself when it matters by itself, else beside what it may explain."""

from __future__ import annotations

import msgspec

from galvo_monitor.view import Insight


class Clue(msgspec.Struct, frozen=True):
    text: str
    """A clause without a verb's subject left out: "3 sessions idle in transaction for up to 2 min"."""
    evidence: str
    """The numbers, and where they come from."""
    since: float
    """Seconds since the epoch."""
    confidence: float
    alone: bool = False
    """It matters whatever else is so."""


def insight(clues: list[Clue]) -> Insight:
    """The first one leads; the others stand beside it."""
    text = "; ".join(clue.text for clue in clues)
    return Insight(
        sentence=text[:1].upper() + text[1:],
        evidence="; ".join(clue.evidence for clue in clues if clue.evidence),
        since=clues[0].since,
        confidence=clues[0].confidence,
    )
