"""How many rows are asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from galvo_memory.chunks.pace import FIRST, GROWTH, MOST, PARTS, Pace

CHUNK = 1 << 20


def test_small_rows_are_asked_for_in_growing_numbers() -> None:
    pace, asked = Pace(CHUNK), []
    for _ in range(5):
        asked.append(pace.rows)
        pace.saw(pace.rows, pace.rows * 10)
    assert asked == [FIRST, FIRST * GROWTH, FIRST * GROWTH**2, MOST, MOST]


def test_large_rows_are_followed_at_once_and_small_ones_step_by_step() -> None:
    pace = Pace(CHUNK)
    pace.saw(FIRST, FIRST * 1000)
    assert pace.rows > FIRST
    pace.saw(pace.rows, pace.rows * CHUNK)
    assert pace.rows == 1
    pace.saw(1, 10)
    assert pace.rows == 1, "the next one may be large again"
    for _ in range(20):
        pace.saw(pace.rows, pace.rows * 10)
    assert pace.rows == MOST


@given(st.lists(st.integers(1, 10 * CHUNK), min_size=1, max_size=50))
def test_rows_no_larger_than_those_before_fit_a_part(means: list[int]) -> None:
    pace = Pace(CHUNK)
    for mean in means:
        pace.saw(pace.rows, pace.rows * mean)
        assert pace.rows == 1 or pace.rows * mean <= CHUNK // PARTS
        assert 1 <= pace.rows <= MOST
