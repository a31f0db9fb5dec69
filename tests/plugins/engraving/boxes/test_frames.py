"""Frames that cross in the middle of a plant stand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from galvo_engraving.boxes.panel import Panel
from galvo_engraving.boxes.shapes import bounds, inside
from galvo_engraving.problems import Unfit
from tests.plugins.engraving.boxes.test_slots import parts


def levels(frame: Panel, x: float) -> tuple[float, float]:
    """From where to where there is material at `x`."""
    _, low, _, high = bounds(frame.outline)
    there = [
        y for y in (low + 0.05 * step for step in range(int((high - low) / 0.05))) if inside(frame.outline, (x, y))
    ]
    assert max(b - a for a, b in pairwise(there)) < 0.06  # in one piece
    return there[0], there[-1]


@pytest.mark.parametrize("sides", [4, 6, 8])
def test_each_has_a_level_of_its_own_where_they_cross(sides: int) -> None:
    made = [panel for name, panel in parts("plant-stand", {"sides": sides}, 3).items() if name.startswith("frame")]
    assert len(made) == sides // 2
    left, _, right, _ = bounds(made[0].outline)
    middle = (left + right) / 2
    found = [levels(frame, middle) for frame in made]
    for (_, high), (low, _) in pairwise(found):
        assert abs(low - high) < 0.11
    # A sheet that crosses at this angle finds room as far as its corners reach.
    angle = math.pi / len(made)
    reach = 1.5 * (1 + math.cos(angle)) / math.sin(angle)
    for frame, (low, high) in zip(made, found, strict=True):
        for x in (middle - reach, middle + reach):
            assert levels(frame, x) == pytest.approx((low, high))


def test_slots_that_are_not_deep_enough_are_refused() -> None:
    with pytest.raises(Unfit, match=r"^slot_depth: frames go half of their bar"):
        parts("plant-stand", {"slot_depth": 5})
