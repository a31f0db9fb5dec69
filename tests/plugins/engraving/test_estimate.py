from __future__ import annotations

from typing import Any

import pytest

from galvo_engraving.jobs.estimate import CannotEstimate, seconds


def part(operation: str, **more: Any) -> dict[str, Any]:
    usual = {"name": "lid", "quantity": 1, "width_mm": 92.0, "height_mm": 50.0, "path_mm": 300.0}
    return usual | {"operation": operation, "speed_mm_s": 10.0, "passes": 1, "interval_mm": 0.1} | more


def test_a_cut_takes_its_path_in_each_pass_for_each_piece() -> None:
    assert seconds([part("cut", passes=2, quantity=3)]) == {"cut": 180.0}


def test_an_engraving_takes_its_lines_with_room_to_turn() -> None:
    assert seconds([part("engrave", speed_mm_s=500.0)]) == {"engrave": pytest.approx(500 * 100 / 500)}


def test_an_engraving_has_at_least_one_line() -> None:
    assert seconds([part("engrave", height_mm=0.05)]) == {"engrave": pytest.approx(10.0)}


def test_operations_are_added_up() -> None:
    assert seconds([part("cut"), part("score", path_mm=50.0), part("cut")]) == {"cut": 60.0, "score": 5.0}


def test_a_material_that_is_not_made_for_it() -> None:
    with pytest.raises(CannotEstimate, match="lid: its material has no setting to cut it: choose another one"):
        seconds([part("cut", speed_mm_s=None)])
