"""Whether an index has helped: statements before and after, with those that do not use it as the control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Final

import msgspec

from galvo_index.apply.sums import ENOUGH

GAIN: Final = 0.1
"""The part of their time that has to be gone for an index to stay."""
WORSE: Final = 0.2
WORSE_SECONDS: Final = 0.05
"""No statement may take this part longer, and these seconds at the same time."""

Sides = Mapping[str, Sequence[float]]


class Verdict(msgspec.Struct, frozen=True):
    kept: bool | None
    """None: nothing can be said yet."""
    gain: float | None
    """The part of the affected statements' time that is gone, on the later load, at the machine's earlier speed."""
    drift: float
    """How much longer the control takes than before; 1: the same."""
    text: str


def judge(before: Sides, after: Sides, affected: Set[str], control: Set[str]) -> Verdict:
    """Calls and seconds by statement in the two times. `affected`: those that use the index, and those that write its
    table and so maintain it. Statements of neither set say nothing.
    """
    pairs = {
        name: (before[name][1] / before[name][0], after[name][1] / after[name][0], after[name][0])
        for name in before.keys() & after.keys()
        if before[name][0] >= ENOUGH and after[name][0] >= ENOUGH and before[name][1] > 0
    }
    drift = _drift([(late / early, early * calls) for name, (early, late, calls) in pairs.items() if name in control])
    affected_pairs = [pairs[name] for name in sorted(affected & pairs.keys())]
    if not affected_pairs:
        return Verdict(None, None, drift, "no statement that uses it was called often enough, before and after")
    expected = sum(early * drift * calls for early, _, calls in affected_pairs)
    gain = 1 - sum(late * calls for _, late, calls in affected_pairs) / expected
    slower = [
        (early * drift, late)
        for early, late, _ in pairs.values()
        if late > early * drift * (1 + WORSE) and late - early * drift > WORSE_SECONDS
    ]
    text = f"{gain:.0%} less time in {len(affected_pairs)} statements that use or maintain it"
    if gain < 0:
        text = f"{-gain:.0%} more time in {len(affected_pairs)} statements that use or maintain it"
    if abs(drift - 1) > 0.05:
        text += f" (others take {drift:.2f} times as long as before, which is taken into account)"
    if slower:
        early, late = max(slower, key=lambda pair: pair[1] / pair[0])
        text += f"; one statement takes {late * 1000:.0f} instead of {early * 1000:.0f} ms"
    return Verdict(gain >= GAIN and not slower, gain, drift, text)


def _drift(ratios: list[tuple[float, float]]) -> float:
    """The median ratio, weighted by time: one statement with a new plan of its own must not move it."""
    half, seen = sum(weight for _, weight in ratios) / 2, 0.0
    for ratio, weight in sorted(ratios):
        seen += weight
        if seen >= half:
            return ratio
    return 1.0
