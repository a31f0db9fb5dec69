from __future__ import annotations

from typing import Any

import pytest

from galvo_engraving.demo.telling import lines

TOLD: dict[str, Any] = {
    "submitted": {"jobs": 24, "seconds": 9.9994},
    "urgent": {"jobs": 3, "seconds": 9.9994, "bulk_ended_meanwhile": 11, "bulk_left": 12},
    "estimates": [{"project": 20_000, "parts": 40, "seconds": 161_959.6, "by_operation": {}}],
    "cancelled": {"state": "cancelled", "at": 0.9966, "seconds": 9.9994, "waiting": 24},
    "progress": [number / 97 for number in range(98)],
    "result": {
        "width": 12_000, "height": 12_345, "burned": 148_000_000, "key": "", "seconds": 9.9994, "again_seconds": 9.9994
    },
    "seconds": 40.0,
}  # fmt: skip


def test_the_lines_fit_80_columns() -> None:
    shown = list(lines(TOLD))
    assert max(map(len, shown)) <= 80
    assert len(shown) == 7
    text = "\n".join(shown)
    for words in (
        "24 bulk rasters in 9,999 ms",
        "11 of the 23 bulk ones left ended before",
        "project 20000 takes the laser 2,699:20 min",
        "at 100 % of its work, ended after 9,999 ms; 24 that waited",
        "100 %",
        "12,000 x 12,345 dots, 100 % burned",
    ):
        assert words in text


@pytest.mark.parametrize("state", ["done", "cancelled"])
def test_what_was_too_late_is_not_called_cancelled(state: str) -> None:
    text = "\n".join(lines(TOLD | {"cancelled": TOLD["cancelled"] | {"state": state}}))
    assert ("but it was done by then" in text) == (state == "done")


def test_without_an_estimate_there_is_no_line_for_it() -> None:
    assert not any("estimate" in line for line in lines(TOLD | {"estimates": []}))


def test_a_failure_is_one_line() -> None:
    assert list(lines({"error": "no worker"})) == ["jobs failed: no worker"]
