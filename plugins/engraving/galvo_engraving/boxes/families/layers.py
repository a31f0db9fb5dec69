"""Sheets lying on one another: cases, frames, blocks with holes, lamps of rings.

Read: width, depth, height, thickness, corner_radius, screw, cable, vents, board_clearance, hole, holes, hole_pitch,
levels, diameter, sides, ribs, taper (turns each ring a little more), slot_width, slot_depth, glue_tab, foot, tilt,
pattern, text. Ignored: play and finger of a case and of a block (nothing of them is jointed), thickness and tilt of a
block (glue a wedge), thickness of a frame, height, thickness and level_pitch of a lamp (rods are cut to length).
"""

from __future__ import annotations

import math

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.edges import even
from galvo_engraving.boxes.fittings import LEFT_MM, decorate, drill, grid, room, write
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import Contour, circle, rectangle, regular, rounded, turned
from galvo_engraving.problems import Unfit


def case(sketch: Sketch, asked: Asked) -> None:
    """A floor, frames as many as make up the height, a cover."""
    w, d, h = asked.positive("width", 90), asked.positive("depth", 62), asked.positive("height", 28)
    t, screw, radius = asked.thickness, asked.length("screw", 2.5), asked.length("corner_radius", 4)
    wall = max(5.0, screw + 2 * LEFT_MM + 1)
    wide, deep = w + 2 * wall, d + 2 * wall
    corners = [(x, y) for x in (wall / 2 + 0.5, wide - wall / 2 - 0.5) for y in (wall / 2 + 0.5, deep - wall / 2 - 0.5)]
    radius = min(radius, wall)

    def plate(name: str) -> Panel:
        made = sketch.add(name, rounded(0, 0, wide, deep, radius))
        made.holes += [circle(corner, screw) for corner in corners if screw]
        return made

    count = max(1, math.ceil(h / t - 1e-6))
    plate("floor")
    under = math.ceil(asked.length("board_clearance") / t)
    for number in range(1, count + 1):
        frame = plate(f"frame {number}")
        if number <= under < count:  # feet for the board stay in the corners
            rim = min(3.0, w / 6, d / 6)
            frame.holes.append(rounded(wall + rim, wall + rim, w - 2 * rim, d - 2 * rim, 1))
        else:
            frame.holes.append(rounded(wall, wall, w, d, min(1.0, radius)))
    cover = plate("cover")
    _opening(sketch, asked, cover, wall, w, d)
    cable = asked.length("cable")
    if cable:
        room("cable", cable, min(h, d))
        sketch.add(
            "cable plate",
            rounded(0, 0, cable + 12, max(h, cable + 6), 2),
            [circle((cable / 2 + 6, max(h, cable + 6) / 2), cable)],
        )


def frame(sketch: Sketch, asked: Asked) -> None:
    """Front, spacer with the opening for the picture, back, and a foot."""
    w, h = asked.positive("width", 180), asked.positive("height", 130)
    rim, play = asked.positive("glue_tab", 12) + 4, max(0.0, asked.joint.play)
    radius, lap = min(asked.length("corner_radius", 4), rim), min(3.0, w / 8, h / 8)
    wide, tall = w + 2 * rim, h + 2 * rim
    front = sketch.add("front", rounded(0, 0, wide, tall, radius))
    front.holes.append(rectangle(rim + lap, rim + lap, w - 2 * lap, h - 2 * lap))
    spacer = sketch.add("spacer", rounded(0, 0, wide, tall, radius))
    spacer.holes.append(rectangle(rim - play / 2, rim - play / 2, w + play, h + play))
    back = sketch.add("back", rounded(0, 0, wide, tall, radius))
    write(front, asked, wide, rim)
    decorate(sketch, asked, back, wide, tall)
    foot, tilt = asked.positive("foot", 80), math.radians(asked.length("tilt", 12))
    sketch.add(
        "foot", [(0, 0), (foot, 0), (foot / 4 + foot * math.tan(tilt) / 4, foot), (foot * math.tan(tilt) / 4, foot)]
    )


def block(sketch: Sketch, asked: Asked) -> None:
    """`levels` plates with the same holes over a plain one, and sides that keep them apart."""
    w, d, h = asked.positive("width", 180), asked.positive("depth", 80), asked.positive("height", 60)
    levels = max(1, asked.count("levels", 2))
    for number in range(1, levels + 1):
        plate = sketch.add(f"plate {number}", rectangle(0, 0, w, d))
        grid(sketch, plate, asked, max(1, asked.count("holes", 24)), 0, 0, w, d)
    sketch.add("floor", rectangle(0, 0, w, d))
    for name in ("left", "right"):
        sketch.add(name, rectangle(0, 0, d, h))
    front = sketch.add("front", rectangle(0, 0, w, h))
    write(front, asked, w, h)


def lamp(sketch: Sketch, asked: Asked) -> None:
    """Rings on rods, each turned by `taper` against the one below."""
    diameter, levels = asked.positive("diameter", 140), max(2, asked.count("levels", 12))
    sides, rods, rod = max(3, asked.count("sides", 6)), max(2, asked.count("ribs", 3)), asked.positive("hole", 6)
    twist, cable = math.radians(asked.length("taper")), asked.length("cable")
    within = diameter / 2 * math.cos(math.pi / sides)
    at = within - rod / 2 - 2 * LEFT_MM
    inner = at - rod / 2 - 2 * LEFT_MM
    if inner < 2 or 2 * at * math.sin(math.pi / rods) < rod + LEFT_MM:
        raise Unfit(f"hole: {rods} rods of {rod:g} mm do not fit into {diameter:g} mm")
    for number in range(1, levels + 1):
        turn = twist * (number - 1)
        outline: Contour = turned(regular((0, 0), diameter / 2, sides), turn)
        ring = sketch.add(f"ring {number}", outline)
        ring.holes += [circle(point, rod + asked.joint.play) for point in regular((0, 0), at, rods)]
        if number > 1:
            ring.holes.append(circle((0, 0), 2 * inner))
        elif cable:
            room("cable", cable, 2 * inner)
            ring.holes.append(circle((0, 0), cable))
        sketch.spend(sum(map(len, ring.holes)), "levels")


def sign(sketch: Sketch, asked: Asked) -> None:
    """A foot of layers with a slot, in which an engraved plate stands."""
    w, d, h = asked.positive("width", 200), asked.positive("depth", 50), asked.positive("height", 150)
    slot, deep = asked.slot(), asked.positive("slot_depth", 15)
    radius, cable = asked.length("corner_radius", 10), asked.length("cable", 5)
    wide = w + 20
    room("slot_width", slot, d)
    layers = math.ceil(deep / asked.thickness - 1e-6)
    for number in range(1, layers + 1):
        layer = sketch.add(f"layer {number}", rounded(0, 0, wide, d, radius))
        layer.holes.append(rectangle(10, (d - slot) / 2, w, slot))
    floor = sketch.add("floor", rounded(0, 0, wide, d, radius))
    drill(floor, "cable", cable, wide / 2, d / 2, wide, d)
    plate = sketch.add("sign", rounded(0, 0, w - 0.2, h + deep, min(radius, h / 2)))
    write(plate, asked, w, h, deep)


def _opening(sketch: Sketch, asked: Asked, panel: Panel, wall: float, w: float, d: float) -> None:
    count = asked.count("vents")
    if count:
        sketch.spend(count * 24, "vents")
        for a, b in even(w, count, min(2.5, w / count / 2), "vents"):
            panel.holes.append(rounded(wall + a, wall + d / 4, b - a, d / 2, (b - a) / 2))
