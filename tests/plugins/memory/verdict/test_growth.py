"""What is growth, on marks that are given."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from galvo_memory.verdict.growth import FEWEST, Growth, growth
from galvo_memory.verdict.marks import FIRST, SPAN, WARM_UP, Marks


def judged(values: Sequence[float]) -> Growth | None:
    """One for each half minute, the warm-up before them left out."""
    marks = Marks(SPAN)
    for at, value in enumerate([values[0]] * WARM_UP + [*values]):
        marks.add(at * SPAN, value)
    return growth([*marks.stretches()])


def walk(seed: int) -> list[float]:
    r, values = random.Random(seed), [1000.0]
    while len(values) < FIRST:
        values.append(values[-1] + r.gauss(0, 5))
    return values


def test_a_line() -> None:
    found = judged([100 + at for at in range(FIRST)])
    assert found == Growth(pytest.approx(1 / SPAN), 1.0, 0.0, pytest.approx(FIRST - 1), SPAN * (FIRST - 1))


def test_a_line_with_noise_that_cancels_out() -> None:
    """Though each second mark falls: that is no walk."""
    noise = random.Random(1)
    found = judged([1000 + 5 * at + noise.choice([-3, 3]) for at in range(FIRST)])
    assert found is not None
    assert found.slope == pytest.approx(5 / SPAN, rel=0.1)
    assert found.tau < 1


def test_few_walks_are_growth() -> None:
    """15 are; without any one of the rules for drift, noise, wandering and still growing it would be 21 to 47."""
    assert sum(judged(walk(seed)) is not None for seed in range(3000)) <= 20


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_staircase(steps: int) -> None:
    assert judged([100 + 10 * (at * (steps + 1) // FIRST) for at in range(FIRST)]) is None


@pytest.mark.parametrize("share, found", [(0.02, False), (0.024, True)])
def test_as_slow_as_is_worth_a_word(share: float, found: bool) -> None:
    """Of the level in 15 minutes."""
    assert (judged([1000 + 1000 * share * at * SPAN / 900 for at in range(FIRST)]) is not None) is found


def test_slower_than_before() -> None:
    early, late = [100 + 3 * at for at in range(40)], [220 + 2 * at for at in range(40)]
    assert judged(early + late) is None
    assert judged(early + [220 + 2.5 * at for at in range(40)]) is not None


def test_few_marks() -> None:
    assert judged([100 + at for at in range(FEWEST - 1)]) is None
