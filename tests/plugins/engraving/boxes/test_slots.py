"""Slots that the sheet itself goes into."""

from __future__ import annotations

from typing import Any

import pytest

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.drawing import nominal
from galvo_engraving.boxes.panel import Panel
from galvo_engraving.boxes.shapes import Contour, bounds
from galvo_engraving.boxes.sheet import chosen
from galvo_engraving.problems import Unfit
from tests.plugins.engraving.boxes.test_catalogue_drawn import TEMPLATES, rows


def parts(slug: str, given: dict[str, Any], thickness: float | None = None) -> dict[str, Panel]:
    values = chosen(slug, rows(TEMPLATES[slug]), given, thickness=thickness)
    return {panel.name: panel for panel in nominal(slug, Asked(values, "A name"))}


def slots(outline: Contour) -> set[float]:
    """How wide what is open at an edge, and deeper than wide, is."""
    found = set()
    for i, (bx, by) in enumerate(outline):
        (ax, ay), (cx, cy), (dx, dy) = (outline[(i + step) % len(outline)] for step in (-1, 1, 2))
        straight = abs(by - cy) < 1e-6 and abs(ax - bx) < 1e-6 and abs(cx - dx) < 1e-6
        if straight and (ay - by) * (dy - cy) > 0 and abs(ay - by) > abs(bx - cx):
            found.add(round(abs(bx - cx), 3))
    return found


FOLLOWING = [
    ("phone-stand", "plate"), ("laptop-stand", "bar 1"), ("plant-stand", "frame 1"), ("divider-tray", "front")
]  # fmt: skip


@pytest.mark.parametrize("slug, part", FOLLOWING)
@pytest.mark.parametrize("thickness", [3, 6])
def test_they_follow_the_sheet(slug: str, part: str, thickness: float) -> None:
    given: dict[str, Any] = {"slots": 4} if slug == "divider-tray" else {}
    play = float(next(one.default for one in TEMPLATES[slug].parameters if one.name == "play"))
    assert round(thickness + play, 3) in slots(parts(slug, given, thickness)[part].outline)
    assert 7.5 in slots(parts(slug, given | {"slot_width": 7.5}, thickness)[part].outline)
    with pytest.raises(Unfit, match=r"^slot_width: a sheet of 6 mm does not go into a slot of 5\.5 mm"):
        parts(slug, given | {"slot_width": 5.5}, 6)


def test_so_does_the_foot_of_a_sign() -> None:
    _, low, _, top = bounds(parts("edge-lit-sign", {}, 3)["layer 1"].holes[0])
    assert top - low == pytest.approx(3.15)


def test_slots_for_other_things_are_as_wide_as_those() -> None:
    assert 12 in slots(parts("record-stand", {}, 6)["left rail"].outline)
    assert 12 in slots(parts("key-rack", {}, 6)["plate"].outline)
