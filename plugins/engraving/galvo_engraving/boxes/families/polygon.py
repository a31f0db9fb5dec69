"""Boxes with any number of walls, upright or leaning outwards, and honeycombs of them.

Read: side (inside, at the floor), sides, height, taper, floor, lid_gap, lid_grip, pattern, text, and the joint; of
honeycombs columns, rows, drawers, drawer_gap, handle (a strap, of whatever kind) and screw. Ignored: text and
text_height of honeycombs.

Where two walls meet at an angle their fingers end at the outer corner, and the gaps stand back from the neighbour's
square edge.
"""

from __future__ import annotations

import math

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.edges import Side, comb, female, flat, male, outline
from galvo_engraving.boxes.fittings import decorate, drill, room, tabs, write
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import Contour, circle, regular
from galvo_engraving.problems import Unfit


def prism(sketch: Sketch, asked: Asked) -> None:
    side, sides = asked.positive("side", 60), max(3, asked.count("sides", 6))
    h, gap = asked.positive("height", 60), asked.length("lid_gap", 0.5)
    taper = math.radians(asked.length("taper"))
    walls = tube(sketch, asked, side, sides, h, taper=taper, floor=asked.choice("floor", "closed"))
    for number, wall in enumerate(walls):
        if number or not asked.flag("engrave_text"):
            decorate(sketch, asked, wall, side, h)
    write(walls[0], asked, side, h)
    # The lid lies on the rim, and a smaller plate under it keeps it there.
    upper = side + 2 * h * math.tan(taper) * math.tan(math.pi / sides)
    across = upper / (2 * math.sin(math.pi / sides))
    plate = across - gap / math.cos(math.pi / sides)
    if plate < 5:
        raise Unfit(f"lid_gap: {gap:g} mm are too much for sides of {side:g} mm")
    lid = sketch.add("lid", regular((0, 0), across + asked.thickness / math.cos(math.pi / sides), sides, _even(sides)))
    under = sketch.add("lid inside", regular((0, 0), plate, sides, _even(sides)))
    wide = 2 * across * math.cos(math.pi / sides)
    kind = asked.choice("lid_grip", "none")
    if kind == "hole":
        for panel in (lid, under):
            panel.holes.append(circle((0, 0), min(20.0, wide / 3)))
    elif kind == "knob":
        pin = min(5.0, wide / 6)
        for panel in (lid, under):
            panel.holes.append(circle((0, 0), pin))
        sketch.add("knob", circle((0, 0), min(24.0, wide / 2)), [circle((0, 0), pin)])


def tube(
    sketch: Sketch,
    asked: Asked,
    side: float,
    sides: int,
    height: float,
    *,
    taper: float = 0,
    floor: str = "closed",
    prefix: str = "",
) -> list[Panel]:
    """Walls, and a floor if it is not open. `side` and `height` are inside measures, upright."""
    t, joint = asked.thickness, asked.joint
    turn = math.tau / sides
    # The angle between two leaning walls is the one between their normals.
    between = math.acos(min(1.0, math.cos(turn) * math.cos(taper) ** 2 + math.sin(taper) ** 2))
    out = t * math.tan(between / 2)
    back = max(0.0, out * math.cos(between))
    slant = height / math.cos(taper)
    lean = height * math.tan(taper) * math.tan(turn / 2)
    if 2 * back >= side:
        raise Unfit(f"side: {side:g} mm are too short for sheets of {t:g} mm")
    through = t / math.cos(taper)
    length = math.hypot(slant, lean)
    fingers = comb(length, joint)
    corners = [(0.0, 0.0), (side, 0.0), (side + lean, slant), (-lean, slant)]
    low: Side = flat(side) if floor == "open" else female(side, comb(side, joint), through, play=joint.play)
    right = male(length, fingers, out, back)
    left = female(length, fingers, out, back, joint.play)
    walls = [
        sketch.add(f"{prefix}wall {number + 1}", outline(corners, [low, right, flat(side + 2 * lean), left]))
        for number in range(sides)
    ]
    if floor != "open":
        around: Contour = regular((0, 0), side / (2 * math.sin(turn / 2)), sides, _even(sides))
        end = male(side, comb(side, joint), through)
        bottom = sketch.add(f"{prefix}floor", outline(around, [end] * sides))
        if floor == "frame":
            bottom.holes.append(regular((0, 0), 0.7 * side / (2 * math.sin(turn / 2)), sides, _even(sides)))
    return walls


def honeycomb(sketch: Sketch, asked: Asked) -> None:
    """Sleeves with six walls, open at both ends, and drawers that are smaller ones with a front."""
    side, d, gap = asked.positive("side", 60), asked.positive("depth", 140), asked.length("drawer_gap", 0.7)
    columns, rows = max(1, asked.count("columns", 6)), max(1, asked.count("rows", 4))
    drawers = asked.count("drawers", 1)
    t = asked.thickness
    small = side - 2 * (t + gap) / math.sqrt(3)
    if small < 10:
        raise Unfit(f"side: {side:g} mm leave nothing for a drawer of {t:g} mm sheet")
    if columns * rows > 100:
        raise Unfit("columns: more than 100 sleeves are not drawn at once: choose fewer columns or rows")
    screw, handle = asked.length("screw"), asked.length("handle_width", 20)
    for number in range(1, columns * rows + 1):
        walls = tube(sketch, asked, side, 6, d, floor="open", prefix=f"sleeve {number} ")
        drill(walls[0], "screw", screw, side / 2, d / 2, side, d)
    for number in range(1, min(drawers, columns * rows) + 1):
        tube(sketch, asked, small, 6, d - 2 * t - gap, floor="closed", prefix=f"drawer {number} ")
        face = sketch.add(f"drawer {number} front", regular((0, 0), side, 6, _even(6)))
        if asked.choice("handle", "strap") == "none":
            continue
        room("handle_width", handle, side * math.sqrt(3))
        tabs(face, [(-handle / 2, -handle / 2 + 4), (handle / 2 - 4, handle / 2)], asked, 0, 0)


def _even(sides: int) -> float:
    """Radians by which a polygon is turned so that it lies on a side."""
    return -math.pi / 2 + math.pi / sides
