"""How far the beam goes for a drawing."""

from __future__ import annotations

import math
from typing import Any

import pytest

from galvo_engraving.boxes.drawing import draw
from galvo_engraving.boxes.measuring import measured
from galvo_engraving.boxes.shapes import bounds

BOOKEND: dict[str, Any] = {
    "width": 120.0, "depth": 110.0, "height": 160.0, "foot": 90.0, "thickness": 3.0, "labels": True,
    "engrave_text": True, "text_height": 8.0,
}  # fmt: skip


def test_a_sheet_with_a_hole() -> None:
    """A mirror's frame: two squares, and nothing else."""
    plain: dict[str, Any] = {"width": 100.0, "height": 100.0, "glue_tab": 6.0, "corner_radius": 0.0, "play": 0.0}
    found = measured("picture-frame", plain, title="")
    panels = draw("picture-frame", plain)
    assert [part["operation"] for part in found] == ["cut"]
    spacer = next(panel for panel in panels if panel.name == "spacer")
    assert sum(_round(line) for line in (spacer.outline, *spacer.holes)) == pytest.approx(4 * 120 + 4 * 100)
    assert found[0]["path_mm"] == pytest.approx(
        sum(_round(line) for panel in panels for line in (panel.outline, *panel.holes))
    )


def test_letters_are_an_area_and_labels_are_lines() -> None:
    found = {part["operation"]: part for part in measured("bookend", BOOKEND, title="Books")}
    assert set(found) == {"cut", "score", "engrave"}
    panels = draw("bookend", BOOKEND, "Books")
    strokes = [point for panel in panels for line in panel.engraved for point in line]
    left, low, right, top = bounds(strokes)
    assert (found["engrave"]["width_mm"], found["engrave"]["height_mm"]) == pytest.approx((right - left, top - low))
    assert pytest.approx(top - low) == 8
    assert 0 < found["score"]["path_mm"] < 6 * 6 * len(panels)


def _round(contour: list[tuple[float, float]]) -> float:
    return sum(math.dist(a, b) for a, b in zip(contour, contour[1:] + contour[:1], strict=True))
