"""Whether something is faster: when its interval says so, and the noise of this run does not say as much.

The rule is tried by `galvo bench calibrate`: equal things are called the same, and what takes 20 % longer slower,
in 95 of 100 tries at least.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log
from typing import Literal

from galvo_bench.method.rounds import LEAST, Result

Verdict = Literal["faster", "slower", "same", "unsure"]
Ratio = Literal["time", "speed", "throughput"]

SLIGHT = log(1.03)
"""No smaller difference is told: where a program happens to lie in memory makes as much (Mytkowicz et al.,
"Producing wrong data without doing anything obviously wrong", ASPLOS 2009)."""
TOLD = log(1.2)
"""A difference that "same" denies."""


def verdict(row: Result, again: Result | None = None, ratio: Ratio = "time") -> Verdict:
    """Of a row against its baseline; `again` is the baseline's own A/A. "unsure": another run may say anything.

    >>> verdict(Result("galvo", 1e-3, 0.7, 0.65, 0.75, rounds=11), Result("(A/A)", 1e-3, 1.01, 0.97, 1.04, rounds=11))
    'faster'
    """
    if row.rounds < LEAST or min(row.low, again.low if again else 1) <= 0:
        return "unsure"  # a clock that did not move gives no ratio
    noise = max(abs(log(again.low)), abs(log(again.high))) if again else 0.0
    if row.low <= 1 <= row.high or abs(log(row.ratio)) <= max(noise, SLIGHT):
        return "same" if max(abs(log(row.low)), abs(log(row.high)), noise) <= TOLD else "unsure"
    return "faster" if (row.ratio < 1) == (ratio == "time") else "slower"


def verdicts(rows: Iterable[object], ratio: Ratio = "time") -> dict[str, Verdict]:
    """Of a section's rows, by name; the baseline (the first) and its A/A have none."""
    results = [row for row in rows if isinstance(row, Result)]
    again = next((row for row in results if is_again(row)), None)
    return {row.name: verdict(row, again, ratio) for row in results[1:] if not is_again(row)}


def is_again(row: Result) -> bool:
    """Whether it is the baseline's second time."""
    return row.name.endswith("(A/A)")
