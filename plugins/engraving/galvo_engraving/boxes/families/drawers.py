"""Drawers, and the carcass they run in, which lies on its back as a box without a lid.

Read: width, depth, height (inside of the carcass), drawers, drawer_gap, front_overlap, handle, handle_width, hole
(for a rod), slot_width (of a label holder), screw, lid_height, hinge_pin, hinge_knuckles, pattern, text, and the
joint. Ignored: hinge_angle (eyes on a pin turn as far as the walls let them), magnet (a lid with a mirror stays shut).
"""

from __future__ import annotations

import math

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.cuboid import Cuboid
from galvo_engraving.boxes.edges import box, flat, male, tongues
from galvo_engraving.boxes.fittings import LEFT_MM, decorate, drill, grip, room, tabs, write
from galvo_engraving.boxes.hinge import knuckles
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import moved, rectangle
from galvo_engraving.problems import Unfit

STANDING = {"front": "bottom", "back": "top", "floor": "back"}


def cabinet(sketch: Sketch, asked: Asked) -> None:
    w, d, h = asked.positive("width", 200), asked.positive("depth", 180), asked.positive("height", 200)
    t = asked.thickness
    carcass = chest(sketch, asked, w, d, h)
    if asked.length("lid_height"):
        lid = Cuboid(w, d, asked.positive("lid_height", 30), names={"floor": "top"}, prefix="lid ").panels(
            sketch, asked.joint
        )
        if "hinge_pin" in asked:  # the lid's rim is on the carcass's top, a sheet above the inside of its back
            knuckles(sketch, asked, carcass["floor"], h, lid["back"], asked.positive("lid_height", 30), w, over=t)
        decorate(sketch, asked, lid["floor"], w, d)
        sketch.add("mirror", rectangle(0, 0, w - 2 * LEFT_MM, d - 2 * LEFT_MM))
    else:
        decorate(sketch, asked, carcass["back"], w, d)
    screw = asked.length("screw")
    for x in (w / 4, 3 * w / 4):
        drill(carcass["floor"], "screw", screw, x, h - screw / 2 - LEFT_MM - 2, w, h)


def chest(sketch: Sketch, asked: Asked, w: float, d: float, h: float, prefix: str = "") -> dict[str, Panel]:
    """The carcass, its shelves, and the drawers, each with `drawer_gap` all round."""
    t, joint = asked.thickness, asked.joint
    count, gap = max(1, asked.count("drawers", 1)), asked.length("drawer_gap", 0.6)
    opening = (h - (count - 1) * t) / count
    tall = opening - 2 * gap - t  # inside: over the drawer's floor
    wide, deep = w - 2 * gap - 2 * t, d - gap - 2 * t
    if tall < 5 or wide < 10 or deep < 10:
        raise Unfit(f"drawers: {count} of {t:g} mm sheet do not fit into {w:g} by {h:g} by {d:g} mm")
    carcass = Cuboid(w, h, d, names=STANDING, prefix=prefix).panels(sketch, joint)
    fingers = tongues(d, joint)
    for number in range(1, count):
        end = male(d, fingers, t)
        sketch.add(f"{prefix}shelf {number}", box(w, d, [flat(w), end, flat(w), end]))
        y = number * opening + (number - 0.5) * t
        # The sides of the carcass stand on their long edge: depth is upwards, the bottom is where its front was.
        tabs(carcass["left"], fingers, asked, h - y, 0, math.pi / 2)
        tabs(carcass["right"], fingers, asked, y, 0, math.pi / 2)
    for number in range(1, count + 1):
        _drawer(sketch, asked, f"{prefix}drawer {number} ", (wide, deep, tall), (w, opening))
    return carcass


def _drawer(
    sketch: Sketch, asked: Asked, prefix: str, size: tuple[float, float, float], opening: tuple[float, float]
) -> None:
    wide, deep, tall = size
    t, over = asked.thickness, asked.length("front_overlap", 0)
    # Walls go down past the floor by its thickness: the floor is where they end.
    made = Cuboid(wide, deep, tall, prefix=prefix).panels(sketch, asked.joint)
    front = made["front"]
    hole, slot, across = asked.length("hole"), asked.length("slot_width"), min(20.0, wide / 6)
    for panel in (front, made["back"]):
        drill(panel, "hole", hole, wide / 2, hole / 2 + LEFT_MM, wide, tall)
    if slot:
        room("slot_width", slot, tall / 2)
        room("hole", hole, wide / 2 - across)
        for x in (wide / 4 - across / 2, 3 * wide / 4 - across / 2):
            front.holes.append(rectangle(x, LEFT_MM, across, slot))
    low, others = max(hole, slot), len(front.holes)
    grip(front, asked, wide, tall, low and low + 2 * LEFT_MM)
    if over:
        up = min(over, t / 2)
        face = sketch.add(f"{prefix}face", rectangle(0, 0, opening[0] + 2 * over, opening[1] + 2 * up))
        # Fingers go through both: its grip is the front's, from the inside of the drawer to the edge of the face.
        inset = asked.length("drawer_gap", 0.6) + t
        face.holes += [moved(line, over + inset, up + inset) for line in front.holes[others:]]
        write(face, asked, opening[0] + 2 * over, opening[1] / 2)
