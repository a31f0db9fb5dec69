"""Whether an index has helped: statements before and after, with those that do not use it as the control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from galvo_index.apply.sums import ENOUGH
from galvo_index.apply.uses import Shares

GAIN: Final = 0.1
"""The part of their time that has to be gone for an index to stay."""
WORSE: Final = 0.2
WORSE_SECONDS: Final = 0.05
"""No statement may take this part longer, and these seconds at the same time."""

WILD: Final = 4.0
"""The others' time may become this many times longer or shorter, for a comparison to say something."""

Sides = Mapping[str, Sequence[float]]


class Verdict(msgspec.Struct, frozen=True):
    kept: bool | None
    """None: nothing can be said yet."""
    gain: float | None
    """The part of the affected statements' time that is gone, on the later load, at the machine's earlier speed."""
    drift: float
    """How much longer the control takes than before; 1: the same."""
    text: str


def judge(before: Sides, after: Sides, shares: Shares) -> Verdict:
    """Calls and seconds by statement in the two times. Of those that only maintain the index a loss counts, and no
    gain: that would be chance.
    """
    pairs = {
        name: (before[name][1] / before[name][0], after[name][1] / after[name][0], after[name][0])
        for name in before.keys() & after.keys()
        if before[name][0] >= ENOUGH and after[name][0] >= ENOUGH and before[name][1] > 0
    }
    drift = _drift(
        [(late / early, early * calls) for name, (early, late, calls) in pairs.items() if name in shares.others]
    )
    if not 1 / WILD <= drift <= WILD:
        return Verdict(None, None, drift, f"the statements that do not use it take {drift:.2g} times as long as before")
    slower = [
        (early * drift, late)
        for early, late, _ in pairs.values()
        if late > early * drift * (1 + WORSE) and late - early * drift > WORSE_SECONDS
    ]
    if not shares.uses & pairs.keys():
        text = "no statement that uses it was called often enough, before and after"
        return Verdict(False if slower else None, None, drift, text + _worst(slower))
    saved = expected = 0.0
    for name in sorted((shares.uses | shares.maintains) & pairs.keys()):
        early, late, calls = pairs[name]
        expected += early * drift * calls
        difference = (early * drift - late) * calls
        saved += difference if name in shares.uses else min(0.0, difference)
    gain, count = saved / expected, len((shares.uses | shares.maintains) & pairs.keys())
    text = f"{abs(gain):.0%} {'less' if gain >= 0 else 'more'} time in {count} "
    text += "statement that uses or maintains it" if count == 1 else "statements that use or maintain it"
    if abs(drift - 1) > 0.05:
        text += f" (others take {drift:.2f} times as long as before, which is taken into account)"
    return Verdict(gain >= GAIN and not slower, gain, drift, text + _worst(slower))


def _worst(slower: list[tuple[float, float]]) -> str:
    if not slower:
        return ""
    early, late = max(slower, key=lambda pair: pair[1] / pair[0])
    return f"; one statement takes {late * 1000:.0f} instead of {early * 1000:.0f} ms"


def _drift(ratios: list[tuple[float, float]]) -> float:
    """The median ratio, weighted by time: one statement with a new plan of its own must not move it."""
    half, seen = sum(weight for _, weight in ratios) / 2, 0.0
    for ratio, weight in sorted(ratios):
        seen += weight
        if seen >= half:
            return ratio or 1.0
    return 1.0
