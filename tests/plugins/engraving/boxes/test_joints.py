"""Panels of a box fit: what one of them leaves open at an edge is filled by the other, to the play."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.cuboid import Cuboid
from galvo_engraving.boxes.drawing import nominal
from galvo_engraving.boxes.edges import LEAST_MM, Joint, comb, female, male, mirrored
from galvo_engraving.boxes.families.drawers import cabinet
from galvo_engraving.boxes.families.lidded import hinged
from galvo_engraving.boxes.families.open import dividers
from galvo_engraving.boxes.families.polygon import tube
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import bounds, turned
from galvo_engraving.problems import Unfit
from tests.plugins.engraving.boxes.plane import inside, whole

lengths = st.floats(10, 300)
joints = st.builds(
    Joint,
    thickness=st.floats(0.4, 12),
    finger=st.floats(2, 40),
    space=st.floats(0.5, 2),
    margin=st.floats(0, 40),
    play=st.just(0.0) | st.floats(0, 0.5),
)


@given(length=lengths, joint=joints)
def test_a_gap_is_wider_than_its_finger_by_the_play(length: float, joint: Joint) -> None:
    fingers = comb(length, joint)
    assert fingers
    assert all(0 <= a < b <= length for a, b in fingers)
    assert all(b < c for (_, b), (c, _) in pairwise(fingers))
    assert [pytest.approx(span) for span in mirrored(fingers, length)] == fingers
    out = _steps(male(length, fingers, 3))
    gaps = _steps(female(length, fingers, 3, play=joint.play), level=0.0)
    assert len(out) == len(gaps)
    for (a, b), (c, d) in zip(out, gaps, strict=True):
        assert c == pytest.approx(max(0, a - joint.play / 2), abs=0.06)
        assert d == pytest.approx(min(length, b + joint.play / 2), abs=0.06)


def _steps(side: list[tuple[float, float]], level: float = 3.0) -> list[tuple[float, float]]:
    return [(a[0], b[0]) for a, b in pairwise(side) if a[1] == b[1] == level and b[0] > a[0]]


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.floats(20, 200), st.floats(10, 200), st.floats(5, 200)),
    joint=joints,
    points=st.lists(st.tuples(*[st.floats(0.001, 0.999)] * 3), min_size=40, max_size=80),
    top=st.booleans(),
    lower=st.none() | st.floats(0.2, 1),
    floor=st.sampled_from(["closed", "closed", "open"]),
)
def test_no_two_panels_are_in_the_same_place_and_without_play_nothing_is_left_out(
    size: tuple[float, float, float],
    joint: Joint,
    points: list[tuple[float, float, float]],
    top: bool,
    lower: float | None,
    floor: str,
) -> None:
    """The box is put together, and points of its walls are asked whose they are."""
    front = None if top or lower is None else lower * size[2]
    try:
        panels = Cuboid(*size, top=top, front_height=front, floor=floor).panels(Sketch(), joint)
    except Unfit:
        return
    for panel in panels.values():
        whole(panel)
    t = joint.thickness
    for point in points:
        # Each coordinate within one of both walls, or between them.
        where = [_place(part, length, t) for part, length in zip(point, size, strict=True)]
        if all(0 <= value <= length for value, length in zip(where, size, strict=True)):
            where[2] = -t / 2
        if not top and where[2] > size[2]:
            continue
        owners = [name for name, panel in panels.items() if _holds(panel, name, where, size, t)]
        assert len(owners) <= 1, (where, owners)
        outside = sum(not 0 <= value <= length for value, length in zip(where, size, strict=True))
        if floor == "open" and where[2] < 0:
            assert not owners, (where, owners)
            continue
        if front is not None and where[1] < 0 and where[2] > front:  # the opening over a low front
            continue
        if joint.play == 0 and outside < 3:  # in a corner nobody need be
            # Neither a seam nor what is too thin to be left counts.
            near = product(*((value, value + 2 * LEAST_MM, value - 2 * LEAST_MM) for value in where))
            assert any(_holds(panel, name, p, size, t) for p in near for name, panel in panels.items()), where


def _place(part: float, length: float, t: float) -> float:
    return (
        -t + part * 3 * t
        if part < 1 / 3
        else length + (part - 2 / 3) * 3 * t
        if part > 2 / 3
        else (part - 1 / 3) * 3 * length
    )


def _holds(panel: Panel, name: str, point: Sequence[float], size: tuple[float, float, float], t: float) -> bool:
    x, y, z = point
    w, d, h = size
    slab, local = {
        "front": (-t < y < 0, (x, z)),
        "back": (d < y < d + t, (x, z)),
        "left": (-t < x < 0, (d - y, z)),
        "right": (w < x < w + t, (y, z)),
        "floor": (-t < z < 0, (x, y)),
        "top": (h < z < h + t, (x, y)),
    }[name]
    return slab and inside(panel.outline, local)


@pytest.mark.parametrize("front", [None, 22.0])
def test_without_play_nothing_is_left_out(front: float | None) -> None:
    """The same on a grid, in one box that is known to be there."""
    size, joint = (60.0, 50.0, 40.0), Joint(3, finger=7, margin=2)
    panels = Cuboid(*size, top=front is None, front_height=front).panels(Sketch(), joint)
    for i in range(2000):
        part = [((i * step) % 997 + 0.5) / 997 for step in (7, 131, 619)]
        point = [_place(one, length, 3) for one, length in zip(part, size, strict=True)]
        if front is not None and (point[2] > 40 or (point[1] < 0 and point[2] > front)):
            continue
        outside = sum(not 0 <= value <= length for value, length in zip(point, size, strict=True))
        owners = [name for name, panel in panels.items() if _holds(panel, name, point, size, 3)]
        assert len(owners) == (0 if outside == 0 else 1), (point, owners)


@pytest.mark.parametrize("sides", range(3, 13))
@pytest.mark.parametrize("taper", [0, 10, 25])
def test_walls_of_a_polygon_do_not_run_into_one_another(sides: int, taper: int) -> None:
    asked = Asked({"thickness": 4.0, "play": 0.0, "finger": 10.0})
    wall, *_ = tube(Sketch(), asked, 80, sides, 60, taper=math.radians(taper))
    whole(wall)
    if taper:
        return
    wall, *_ = tube(Sketch(), asked, 80, sides, 60, floor="open")
    # At a height where this wall has a finger the next one has a gap: as seen from above, inside corner at the origin.
    reach = max(x for x, _ in wall.outline) - 80
    back = max(x for x, _ in wall.outline if x < 40)
    turn = math.tau / sides
    for along in range(21):
        for across in range(1, 20):
            piece = (back + along, -4 * across / 20)
            x, y = turned([piece], turn)[0]
            assert not (x < reach - 1e-6 and -4 + 1e-6 < y < -1e-6), (x, y)


def test_the_next_wall_fills_what_this_one_leaves() -> None:
    asked = Asked({"thickness": 4.0, "play": 0.2, "finger": 10.0})
    wall, *_ = tube(Sketch(), asked, 80, 6, 60)
    right = sorted({round(y, 6) for x, y in wall.outline if x > 79 and 0 < y < 60})
    left = sorted({round(y, 6) for x, y in wall.outline if x < 1 and 0 < y < 60})
    assert len(right) == len(left) > 2
    assert all(abs(a - b) == pytest.approx(0.1) for a, b in zip(right, left, strict=True))


def _extents(contours: list[list[tuple[float, float]]]) -> list[tuple[float, float, float, float]]:
    return [bounds(contour) for contour in contours]


def test_a_shelf_goes_into_the_slots_of_both_sides() -> None:
    t, play, d, h = 4.0, 0.2, 180.0, 260.0
    asked = Asked(
        {
            "thickness": t,
            "play": play,
            "finger": 14.0,
            "edge_margin": 8.0,
            "width": 220.0,
            "depth": d,
            "height": h,
            "drawers": 2,
        }
    )
    sketch = Sketch()
    cabinet(sketch, asked)
    panels = {panel.name: panel for panel in sketch.panels}
    shelf = panels["shelf 1"].outline
    fingers = sorted({y for x, y in shelf if x > 220 + t / 2})
    tongues = list(zip(fingers[::2], fingers[1::2], strict=True))
    middle = h / 2
    for name in ("left", "right"):
        slots = sorted(_extents(panels[name].holes), key=lambda slot: slot[1])
        assert len(slots) == len(tongues) > 2
        for (left, low, right, top), (a, b) in zip(slots, tongues, strict=True):
            assert (low, top) == (pytest.approx(a - play / 2), pytest.approx(b + play / 2))
            assert (left, right) == (pytest.approx(middle - (t + play) / 2), pytest.approx(middle + (t + play) / 2))


def test_dividers_cross_half_way() -> None:
    t, play = 3.0, 0.1
    sketch = Sketch()
    asked = Asked({"thickness": t, "play": play, "columns": 3, "rows": 4, "divider_height": 30.0})
    dividers(sketch, asked, 240, 160, 35)
    assert [panel.name for panel in sketch.panels] == [
        *("divider 1", "divider 2", "cross divider 1", "cross divider 2", "cross divider 3")
    ]
    first, cross = sketch.panels[0].outline, sketch.panels[2].outline
    for outline, length, count, depth in ((first, 160, 4, 15.0), (cross, 240, 3, 15.0)):
        xs = sorted({x for x, y in outline if y == depth})
        assert len(xs) == 2 * (count - 1)
        for number, (a, b) in enumerate(zip(xs[::2], xs[1::2], strict=True), 1):
            assert b - a == pytest.approx(t + play)
            # Both are shorter than the tray by the play, and lie in its middle.
            assert (a + b) / 2 + play / 2 == pytest.approx(number * length / count)


def test_an_eye_of_a_hinge_goes_into_its_slot() -> None:
    sketch = Sketch()
    hinged(sketch, Asked({"thickness": 4.0, "play": 0.1, "width": 180.0, "lid_height": 18.0, "hinge_pin": 3.0}))
    panels = {panel.name: panel for panel in sketch.panels}
    slots = _extents([*panels["back"].holes, *panels["lid back"].holes])
    assert (len(panels["back"].holes), len(panels["lid back"].holes)) == (3, 2)
    tab = max(y for x, y in panels["eye 1"].outline if x == 0)
    for left, low, right, top in slots:
        assert right - left == pytest.approx(4.1)
        assert top - low == pytest.approx(tab + 0.1)


@pytest.mark.parametrize("more", [{}, {"front_overlap": 20.0}, {"height": 120.0}, {"drawer_gap": 2.0}])
def test_the_grip_of_a_face_is_over_that_of_the_front_behind_it(more: dict[str, float]) -> None:
    values = {"width": 200.0, "depth": 180.0, "height": 200.0, "thickness": 4.0, "drawers": 2, "front_overlap": 3.0}
    asked = Asked({**values, "handle": "half-moon", "handle_width": 60.0, "drawer_gap": 0.6, **more})
    panels = {panel.name: panel for panel in nominal("drawer-cabinet", asked)}
    over = asked.number("front_overlap", 0)
    inset = asked.number("drawer_gap", 0) + 4
    [front], [face] = panels["drawer 1 front"].holes, panels["drawer 1 face"].holes
    # Both seen from the corner of the opening.
    seen = [(x + inset, y + inset) for x, y in front], [(x - over, y - min(over, 2)) for x, y in face]
    for one, other in zip(*map(bounds, seen), strict=True):
        assert one == pytest.approx(other)
    left, _, right, _ = bounds(panels["drawer 1 face"].outline)
    assert sum(bounds(face)[::2]) == pytest.approx(left + right)  # in its middle


@pytest.mark.parametrize("width", range(60, 300, 7))
def test_corners_are_somebodys_also_without_a_margin(width: int) -> None:
    joint = Joint(3, 10, 1, 0, 0.1)
    made = Cuboid(width, 84, 47).panels(Sketch(), joint)
    half = 1.5
    for x in (-half, width + half):
        for side, y in (("front", -half), ("back", 84 + half)):
            wall = made["left" if x < 0 else "right"].outline
            there = [
                inside(made[side].outline, (x, -half)),
                inside(wall, (84 - y if x < 0 else y, -half)),
                inside(made["floor"].outline, (x, y)),
            ]
            assert any(there), (x, side)


@pytest.mark.parametrize("thickness", [2.0, 3.0, 5.0])
def test_the_lid_of_a_cabinet_turns_on_one_pin(thickness: float) -> None:
    values = {"width": 200.0, "depth": 140.0, "height": 120.0, "thickness": thickness, "drawers": 2, "play": 0.1}
    asked = Asked({**values, "lid_height": 30.0, "hinge_pin": 2.0, "hinge_knuckles": 5})
    panels = {panel.name: panel for panel in nominal("jewellery-cabinet", asked)}
    back, lid = (sorted(_extents(panels[name].holes)) for name in ("back", "lid back"))
    assert (len(back), len(lid)) == (3, 2)
    for number in range(5):
        eye = panels[f"eye {number + 1}"]
        [(left, low, right, high)] = _extents(eye.holes)
        # The eye's lower edge is that of its slot, without the play.
        slot = back[number // 2] if number % 2 == 0 else lid[number // 2]
        # The lid's rim is on the top of the carcass, a sheet above the inside of its back.
        rim = 120 + thickness if number % 2 == 0 else 30
        assert slot[1] + 0.05 + (low + high) / 2 == pytest.approx(rim)
        assert (left + right) / 2 == pytest.approx(thickness + 1 + max(1.5, thickness / 2) + 0.05, abs=0.1)
        whole(eye)
    whole(panels["back"])
