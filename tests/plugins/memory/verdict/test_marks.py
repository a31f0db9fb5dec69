"""Low-water marks against the list of all samples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galvo_memory.verdict.marks import KEPT, MOST, SCALES, WARM_UP, Marks


@given(st.lists(st.integers(0, 10**9), max_size=700), st.sampled_from([1.0, 2.5, 5.0, 10.0, 30.0]))
def test_the_least_of_each_half_minute(values: list[int], interval: float) -> None:
    marks, per = Marks(interval), round(30 / interval)
    complete = [marks.add(at * interval, value) for at, value in enumerate(values)]
    whole = [values[at : at + per] for at in range(0, len(values) - per + 1, per)]
    assert complete == [at % per == per - 1 for at in range(len(values))]
    assert [*marks.marks] == [min(window) for window in whole][WARM_UP:][-KEPT:]
    for scale, stretch in zip(SCALES, marks.stretches(), strict=True):
        kept = [*marks.marks]
        expected = [min(kept[max(at - scale, 0) : at]) for at in range(len(kept), scale - 1, -scale)][::-1]
        assert stretch.marks == expected[-MOST:]
        assert stretch.before[1] == expected[:-MOST]
        assert len(stretch.times) == len(stretch.marks)
        gaps = {round(after - before, 6) for before, after in zip(stretch.times, stretch.times[1:], strict=False)}
        assert gaps <= {30.0 * scale}


def test_it_holds_no_more_in_a_day() -> None:
    marks = Marks(5.0)
    for at in range(17280):
        marks.add(at * 5.0, at)
    assert len(marks) == KEPT
    assert marks.marks[-1] == 17274


@pytest.mark.parametrize("interval", [45.0, 600.0])
def test_samples_that_are_rarer_than_marks(interval: float) -> None:
    marks = Marks(interval)
    assert all(marks.add(at * interval, at) for at in range(20))
    assert [*marks.marks] == [*range(WARM_UP, 20)]
