"""Whether a promise holds: by the interval's worse end, never by its middle."""

from __future__ import annotations

from math import isfinite
from typing import Literal

from galvo_bench.claims.claim import Claim, Found
from galvo_bench.method.rounds import LEAST
from galvo_bench.results.model import Judged
from galvo_bench.running.stand import must

Verdict = Literal["beyond", "met", "not shown", "missed"]


def judged(claim: Claim, found: Found) -> Judged:
    """Raises GalvoError for what is no number."""
    figures: dict[str, float | None] = {
        "galvo": found.galvo,
        "middle": found.middle,
        "low": found.low,
        "high": found.high,
        "plain": found.plain,
    }
    figures |= dict(zip(("A/A's low", "A/A's high"), found.noise or (), strict=False))
    for name, figure in figures.items():
        must(figure is None or isfinite(figure), f"{figure} is no result ({claim.title}: {name})")
    return Judged(
        name=claim.name,
        title=claim.title,
        unit=claim.unit,
        plain=found.plain,
        galvo=found.galvo,
        less=claim.less,
        relative=claim.relative,
        promised=claim.promised,
        goal=claim.goal,
        middle=found.middle,
        low=found.low,
        high=found.high,
        noise=found.noise,
        verdict=verdict(claim, found),
        explains=found.explains,
    )


def verdict(claim: Claim, found: Found) -> Verdict:
    """Of the interval, widened by as much as the same thing twice (A/A) may differ from itself.

    Of fewer rounds than LEAST nothing is shown: no median's interval is 95 % sure.
    """

    if found.rounds < LEAST or found.most == "not shown":
        return "not shown"
    if found.most == "missed":
        return "missed"
    if claim.relative and found.noise and min(found.noise) <= 0:
        return "not shown"  # a clock that did not move

    def holds(figure: float, bound: float) -> bool:
        return figure <= bound if claim.less else figure >= bound

    spread = max(1.0, found.noise[1], 1 / found.noise[0]) if claim.relative and found.noise else 1.0
    low, high = found.low / spread, found.high * spread
    worse, better = (high, low) if claim.less else (low, high)
    if not holds(better, claim.promised):
        return "missed" if found.able else "not shown"
    if not holds(worse, claim.promised):
        return "not shown"
    return "beyond" if claim.goal is not None and holds(worse, claim.goal) else "met"
