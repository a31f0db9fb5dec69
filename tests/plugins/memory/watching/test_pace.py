"""How soon RSS is looked at again."""

from __future__ import annotations

import pytest

from galvo_memory.watching.pace import FASTEST, REST, UNKNOWN, Pace

MIB = 1 << 20


def test_at_rest_it_looks_once_a_second() -> None:
    pace = Pace()
    assert pace.pause(0.0, 50 * MIB, 100 * MIB) == UNKNOWN
    assert pace.pause(0.1, 50 * MIB, 100 * MIB) == REST
    assert pace.pause(1.1, 40 * MIB, 110 * MIB) == REST


@pytest.mark.parametrize("rate", [10, 50, 100, 400])
def test_a_level_is_seen_before_much_more_is_used(rate: int) -> None:
    """MiB a second, from nothing: looked at twice at least on the way, and passed by no more than FASTEST brings."""
    pace, level, at, looks = Pace(), 200 * MIB, 0.0, 0
    while (used := int(at * rate * MIB)) < level:
        at += pace.pause(at, used, level - used)
        looks += 1
    assert 2 <= looks < 40
    assert used - level <= FASTEST * rate * MIB


def test_a_clock_that_stands_still() -> None:
    pace = Pace()
    pace.pause(5.0, 0, MIB)
    assert pace.pause(5.0, MIB, MIB) == UNKNOWN
