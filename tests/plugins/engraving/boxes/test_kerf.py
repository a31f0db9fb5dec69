from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_engraving.boxes.cuboid import Cuboid
from galvo_engraving.boxes.dogbone import dogboned
from galvo_engraving.boxes.edges import Joint
from galvo_engraving.boxes.kerf import compensated, offset
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import area, circle, rectangle, regular
from galvo_engraving.problems import Unfit
from tests.plugins.engraving.boxes.plane import crossings, edges, whole

kerfs = st.floats(0.01, 0.5)


def _distance(point: tuple[float, float], edge: tuple[tuple[float, float], tuple[float, float]]) -> float:
    """Outwards of a counter-clockwise contour's edge."""
    (ax, ay), (bx, by) = edge
    return ((point[0] - ax) * (by - ay) - (point[1] - ay) * (bx - ax)) / math.dist((ax, ay), (bx, by))


@settings(max_examples=25)
@given(kerf=kerfs, finger=st.floats(4, 20), play=st.floats(0, 0.3))
def test_every_edge_moves_by_half_of_it(kerf: float, finger: float, play: float) -> None:
    joint = Joint(3, finger=finger, margin=3, play=play)
    for panel in Cuboid(90, 70, 40, top=True).panels(Sketch(), joint).values():
        moved = compensated(panel, kerf).outline
        assert len(moved) == len(panel.outline)
        for before, after in zip(edges(panel.outline), edges(moved), strict=True):
            assert _distance(after[0], before) == pytest.approx(kerf / 2, abs=1e-6)
            assert _distance(after[1], before) == pytest.approx(kerf / 2, abs=1e-6)
        # Right angles only: four more of them turn left than right.
        around = sum(math.dist(*edge) for edge in edges(panel.outline))
        assert area(moved) == pytest.approx(area(panel.outline) + around * kerf / 2 + 4 * (kerf / 2) ** 2)


@given(kerf=kerfs, sides=st.integers(3, 40))
def test_holes_become_smaller_whichever_way_they_turn(kerf: float, sides: int) -> None:
    hole = regular((50, 50), 10, sides)
    for contour in (hole, hole[::-1]):
        made = compensated(Panel("plate", rectangle(0, 0, 100, 100), [contour]), kerf)
        apothem = 10 * math.cos(math.pi / sides) - kerf / 2
        assert area(made.holes[0]) == pytest.approx(apothem**2 * sides * math.tan(math.pi / sides))
        whole(made)


def test_lines_that_are_only_drawn_stay() -> None:
    panel = Panel("plate", rectangle(0, 0, 10, 10), cuts=[[(1, 1), (1, 9)]], scores=[[(2, 2), (3, 3)]])
    made = compensated(panel, 0.2)
    assert (made.cuts, made.scores) == (panel.cuts, panel.scores)


@pytest.mark.parametrize("contour", [circle((0, 0), 0.3), rectangle(0, 0, 20, 0.4)], ids=["hole", "slot"])
def test_what_the_beam_would_burn_away_is_told(contour: list[tuple[float, float]]) -> None:
    with pytest.raises(Unfit, match="kerf"):
        offset(contour, -0.25)


@settings(max_examples=15)
@given(kerf=st.floats(0, 0.4), finger=st.floats(6, 20))
def test_inside_corners_are_rounded_out(kerf: float, finger: float) -> None:
    for panel in Cuboid(90, 70, 40).panels(Sketch(), Joint(3, finger=finger, margin=4)).values():
        made = dogboned(panel)
        assert area(made.outline) < area(panel.outline)
        assert not crossings([compensated(made, kerf).outline])
    plate = dogboned(Panel("plate", rectangle(0, 0, 50, 50), [rectangle(10, 10, 20, 3)]))
    assert area(plate.holes[0]) > 60
    assert len(plate.outline) == 4
