"""What an interval is sure of, and what a clock that stands still gives."""

from __future__ import annotations

import pytest

from galvo_bench.method.interval import interval
from galvo_bench.method.rounds import results


@pytest.mark.parametrize(
    "size, ends", [(1, (0, 0)), (3, (0, 2)), (6, (0, 5)), (7, (0, 6)), (11, (1, 9)), (21, (5, 15))]
)
def test_no_interval_is_narrower_than_what_the_binomial_distribution_is_sure_of(
    size: int, ends: tuple[int, int]
) -> None:
    assert interval(range(size)) == ends


def test_a_clock_that_did_not_move_gives_no_ratio() -> None:
    rows = results({"asyncpg": [0.0, 1.0], "galvo": [1.0, 1.0]}, 2)
    assert [row.low for row in rows] == [0, 0]
