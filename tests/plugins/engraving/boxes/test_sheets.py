"""Panels on sheets, and sheets as SVG."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_engraving.boxes.nest import BETWEEN_MM, nest
from galvo_engraving.boxes.panel import Panel
from galvo_engraving.boxes.shapes import area, bounds, circle, rectangle
from galvo_engraving.boxes.sheet import preview_svg, sheets_svg
from galvo_engraving.boxes.svg import COLOURS, svg
from galvo_engraving.problems import Unfit

NESTINGS = ("rows", "tight", "by-part")
SPACE = "{http://www.w3.org/2000/svg}"
sizes = st.lists(st.tuples(st.floats(1, 300), st.floats(1, 300)), min_size=1, max_size=30)


def _panels(sizes: list[tuple[float, float]]) -> list[Panel]:
    return [Panel(f"part {i}", rectangle(-5, 7, *size), [circle((0, 10), 0.1)]) for i, size in enumerate(sizes)]


@pytest.mark.parametrize("how", NESTINGS)
@pytest.mark.parametrize("height", [None, 310.0])
@settings(max_examples=30)
@given(sizes=sizes)
def test_parts_lie_apart_and_on_their_sheets(how: str, height: float | None, sizes: list[tuple[float, float]]) -> None:
    laid = nest(_panels(sizes), how, 305.0, height)
    assert sorted(placed.panel.name for placed in laid.placed) == sorted(f"part {i}" for i in range(len(sizes)))
    boxes = [(placed.sheet, *bounds(placed.panel.outline)) for placed in laid.placed]
    for number, (sheet, left, low, right, top) in enumerate(boxes):
        assert 0 <= sheet < laid.sheets
        assert left >= -1e-6
        assert low >= -1e-6
        assert right <= laid.width + 1e-6
        assert top <= laid.height + 1e-6
        for other, a, b, c, d in boxes[:number]:
            near = BETWEEN_MM - 1e-6
            assert sheet != other or left >= c + near or a >= right + near or low >= d + near or b >= top + near
    for placed in laid.placed:
        width, high = sizes[int(placed.panel.name.split()[1])]
        assert area(placed.panel.outline) == pytest.approx(width * high)


def test_what_no_bed_can_hold_is_told() -> None:
    with pytest.raises(Unfit, match="part 0 measures 200 by 900 mm"):
        nest(_panels([(200, 900)]), "rows", 600, 400)
    assert nest(_panels([(200, 500)]), "rows", 600, 400).sheets == 1  # turned


def test_an_svg_in_millimetres_with_one_path_for_each_contour() -> None:
    panel = Panel(
        "<'&\"> part", rectangle(0, 0, 100, 50), [circle((50, 25), 10)], [[(1, 1), (1, 2)]], [[(3, 3), (4, 4)]]
    )
    panel.engraved.append([(5, 5), (6, 6)])
    root = ElementTree.fromstring(svg(nest([panel], "rows", 200)))
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("110mm", "60mm", "0 0 110 60")
    paths = {group.get("data-operation"): list(group) for group in root}
    assert {operation: len(found) for operation, found in paths.items()} == {"engrave": 1, "score": 1, "cut": 3}
    assert {group.get("data-operation"): group.get("stroke") for group in root} == COLOURS
    assert {path.get("data-part") for path in root.iter(f"{SPACE}path")} == {panel.name}
    assert {element.tag for element in root.iter()} == {f"{SPACE}{name}" for name in ("svg", "g", "path")}
    # The outline comes last, and its first corner is at the lower left.
    assert paths["cut"][-1].get("d") == "M5,55 105,55 105,5 5,5Z"


def test_beds_stand_side_by_side() -> None:
    values: dict[str, Any] = {"width": 120.0, "depth": 80.0, "height": 60.0, "thickness": 3.0, "kerf": 0.1}
    root = ElementTree.fromstring(sheets_svg("finger-joint-box", values, title="", bed=(150, 100)))
    assert len({path.get("data-part") for path in root.iter(f"{SPACE}path")}) == 6
    assert float(root.get("width").removesuffix("mm")) > 6 * 150
    assert root.get("height") == "100mm"


def test_a_page_is_as_large_as_the_bed_and_holds_all_of_it() -> None:
    values: dict[str, Any] = {"width": 120.0, "depth": 80.0, "height": 60.0, "thickness": 3.0, "kerf": 0.1}
    root = ElementTree.fromstring(sheets_svg("finger-joint-box", values, title="", bed=(600, 400)))
    assert root.get("viewBox") == "0 0 600 400"
    points = [
        tuple(map(float, point.split(",")))
        for path in root.iter(f"{SPACE}path")
        for point in path.get("d").removeprefix("M").removesuffix("Z").split()
    ]
    left, top, right, low = bounds(points)
    assert (left, low) == (0, 400)  # the corner that machines begin at
    assert right <= 600
    assert top >= 0


@pytest.mark.parametrize("name", ["width", "height", "thickness", "finger", "play", "kerf", "edge_margin"])
@pytest.mark.parametrize("value", [1e9, -1e9, 2999.0, -3.0, 0.0, float("nan"), float("inf")])
def test_whatever_a_template_allows_it_is_drawn_soon_or_refused(name: str, value: float) -> None:
    """Staff and importers write ranges, too."""
    values: dict[str, Any] = {"width": 120.0, "depth": 80.0, "height": 60.0, "thickness": 3.0, name: value}
    with suppress(Unfit):
        assert len(preview_svg("finger-joint-box", values, title="")) < 4 << 20


@pytest.mark.parametrize("slug", ["round-lampshade", "lantern", "parts-drawer-wall", "circuit-case", "divider-tray"])
def test_many_small_things_are_refused_before_they_are_made(slug: str) -> None:
    tiny: dict[str, Any] = {
        "slit_pitch": 0.1,
        "slit_length": 0.1,
        "slit_bridge": 0.1,
        "diameter": 3000.0,
        "hole": 10.0,
        "pattern": "dots",
        "pattern_scale": 0.1,
        "width": 3000.0,
        "depth": 3000.0,
        "height": 3000.0,
        "side": 60.0,
        "columns": 1000,
        "rows": 1000,
        "drawers": 1000,
        "thickness": 0.1,
        "slots": 1000,
    }
    with pytest.raises(Unfit):
        preview_svg(slug, tiny, title="")
