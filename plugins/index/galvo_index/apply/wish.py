"""What is to be built, and why."""

from __future__ import annotations

import msgspec

from galvo_index.advise.advice import Advice
from galvo_index.definition import Definition


class Wish(msgspec.Struct, frozen=True):
    definition: Definition
    reason: str = "asked for"
    """No literals and no arguments of statements: it is in the index's comment."""
    gain: float | None = None
    """The part of the statements' cost that is predicted to be gone; None: nobody has predicted."""
    bytes: int = 0
    """Estimated size; 0: not known."""


def wish(advice: Advice) -> Wish:
    """The gain is weighted by measured time, or by cost and calls where none was measured."""
    weights = [gain.seconds or gain.calls * gain.before for gain in advice.gains]
    if not any(gain.seconds for gain in advice.gains):
        weights = [gain.calls * gain.before for gain in advice.gains]
    total = sum(weights)
    left = sum(weight * gain.ratio for weight, gain in zip(weights, advice.gains, strict=True))
    predicted = 1 - left / total if total else None
    count = len(advice.gains)
    reason = advice.reason or ("1 statement uses it" if count == 1 else f"{count} statements use it")
    return Wish(advice.definition, reason, predicted, advice.bytes)
