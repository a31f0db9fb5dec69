"""Whether a series of low-water marks grows as a leak does: steadily, still, and by more than it wanders."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from galvo_memory.verdict.marks import Stretch
from galvo_statistics import kendall, long_run_variance, student, theil_sen

MATERIAL = 0.02 / 900
"""Share of the level that has to be gained each second: in 15 minutes 2 %. A daily swing by half gains 1.6 %."""
CLEAR = 12.0
"""Standard deviations of a mark's noise that have to be gained: with less, nobody can tell whether it slows down."""
CHANCE, AGAIN = 0.003, 0.0003
"""That a random walk drifts so far by itself: at the first judgement, and at each later one, as there are many.
Spending the error unevenly over repeated looks: Lan & DeMets, Biometrika 70 (1983)."""
LAGS = 2
"""Marks over which noise may cancel out: what a mark is too high, its neighbour seems to have fallen."""
WANDERS = 0.6
"""Long-run variance of the increments, of their variance: 1 for a random walk, 0 for noise around a line."""
STILL = 0.77
"""The least that the second half's slope has to be of the first's: a warm-up slows down to 0.65 and less."""
FEWEST = 5
"""Marks that can be judged."""


class Growth(NamedTuple):
    slope: float
    """A second's; Theil-Sen."""
    tau: float
    """Kendall's; told, not judged: of thousands of series, no verdict depended on it."""
    chance: float
    """That a random walk would have drifted so far."""
    rise: float
    seconds: float
    """Between first and last mark."""


def material(times: Sequence[float], marks: Sequence[float]) -> float:
    """The slope per second if it is worth a word, else 0."""
    if len(marks) < FEWEST or marks[-1] <= marks[0]:
        return 0.0
    slope = theil_sen(times, marks)
    return slope if slope > MATERIAL * marks[0] else 0.0


def growth(stretches: Sequence[Stretch], chance: float = CHANCE) -> Growth | None:
    """What the marks gained, if that is how a leak grows, at the finest scale at which it shows; `chance` is the most
    that a random walk may have had.

    - Material: the slope is worth a word, at every scale up to that one.
    - Drift: the slope is too steep for a random walk. Its error is the increments' long-run variance: of a random walk
      that is all of their variance, of noise around a line little of it. Steps fail here, too: they are rare and large.
    - Clear of the noise at the coarsest scale, where there is least of it, whatever makes it.
    - Still growing: both halves rise, and neither the second is much slower than the first nor the whole than before.
    """
    for times, marks, (earlier, before) in stretches:
        slope = material(times, marks)
        if not slope:
            return None
        if len(before) >= FEWEST and slope < STILL * theil_sen(earlier, before):
            return None
        steps, seconds = _steps(times, marks), times[-1] - times[0]
        scatter, lasting = long_run_variance(steps, 0), long_run_variance(steps, LAGS)
        error = sqrt(max(lasting, 0.0) / len(steps))
        wandered = student(slope / error, len(steps) - 1) if error else 0.0
        if wandered <= chance:
            found = Growth(slope, kendall(marks), wandered, slope * seconds, seconds)
            return found if found.rise >= CLEAR * _noise(stretches[-1]) and _still(stretches) else None
        if lasting >= WANDERS * scatter:
            return None
    return None


def _steps(times: Sequence[float], marks: Sequence[float]) -> list[float]:
    """Per second, as there may be pauses."""
    return [(m - n) / (t - s) for (s, n), (t, m) in pairwise(zip(times, marks, strict=True))]


def _noise(stretch: Stretch) -> float:
    """Standard deviation of a mark: half of the steps' variance is that of each end."""
    steps = _steps(stretch.times, stretch.marks)
    return sqrt(long_run_variance(steps, 0) / 2) * (stretch.times[-1] - stretch.times[0]) / len(steps)


def _still(stretches: Sequence[Stretch]) -> bool:
    """Whether the second half's slope is near the first's, all scales together: each alone is too noisy."""
    first = second = 0.0
    for times, marks, _ in stretches:
        half = (len(marks) + 1) // 2
        first += len(marks) * theil_sen(times[:half], marks[:half])
        second += len(marks) * theil_sen(times[-half:], marks[-half:])
    return first > 0 and second >= STILL * first
