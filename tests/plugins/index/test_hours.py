"""Hours of the day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from galvo_index.hours import hours


@pytest.mark.parametrize(
    "text, at, left",
    [
        ("01:00-05:00", (0, 59), 0),
        ("01:00-05:00", (1, 0), 4 * 3600),
        ("01:00-05:00", (4, 59), 60),
        ("01:00-05:00", (5, 0), 0),
        ("22:30 - 06:00", (23, 0), 7 * 3600),
        ("22:30-06:00", (5, 0), 3600),
        ("22:30-06:00", (12, 0), 0),
        ("00:00-00:00", (12, 0), 86400),
    ],
)
def test_hours(text: str, at: tuple[int, int], left: float) -> None:
    moment = datetime(2026, 5, 4, *at, tzinfo=UTC)
    assert hours(text).left(moment) == left
    assert hours(text).now(moment) == (left > 0)


@pytest.mark.parametrize("text", ["", "1-5", "01:00", "01:00-25:00", "01:00-02:00-03:00"])
def test_no_hours(text: str) -> None:
    with pytest.raises(ValueError, match='write them as "01:00-05:00"'):
        hours(text)
