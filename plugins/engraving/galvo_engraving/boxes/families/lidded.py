"""Boxes with a lid: lifted off, on hinges, or sliding.

Read: width, depth, height, lid_height, lid_gap, lid_grip, finger_notch, hinge_pin, hinge_knuckles, magnet, columns,
rows, divider_height, pattern, text, and the joint. Ignored: hinge_angle (eyes on a pin turn as far as the walls let
them); pattern and pattern_scale where a finger_notch is cut into the walls.
"""

from __future__ import annotations

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.cuboid import Cuboid
from galvo_engraving.boxes.edges import box, flat, scooped
from galvo_engraving.boxes.families.open import dividers
from galvo_engraving.boxes.fittings import LEFT_MM, decorate, drill, room, write
from galvo_engraving.boxes.hinge import knuckles
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import circle, rectangle
from galvo_engraving.problems import Unfit

KNOB_MM = 24.0
LID = {"floor": "top"}
"""A lid is a box that lies on its floor."""


def lifted(sketch: Sketch, asked: Asked) -> None:
    """The lid is a box in which the other one fits, with `lid_gap` all round."""
    w, d, h, t = *_size(asked), asked.thickness
    gap, lid = asked.length("lid_gap", 0.4), asked.positive("lid_height", 20)
    if lid > h + t:
        raise Unfit(f"lid_height: {lid:g} mm are more than the box itself is high: {h + t:g} at most")
    notch = asked.length("finger_notch", 0)
    tops = {}
    if notch:
        room("finger_notch", notch / 2, h)
        tops = {name: scooped(w, notch, h - LEFT_MM, "finger_notch") for name in ("front", "back")}
    made = Cuboid(w, d, h, tops=tops).panels(sketch, asked.joint)
    dividers(sketch, asked, w, d, h)
    wide, deep = w + 2 * t + 2 * gap, d + 2 * t + 2 * gap
    grips = {}
    if asked.choice("lid_grip", "none") == "notch":
        across = min(20.0, wide / 2)
        grips = {name: scooped(wide, across, lid * 0.6, "lid_grip") for name in ("front", "back")}
    cover = Cuboid(wide, deep, lid, names=LID, prefix="lid ", tops=grips).panels(sketch, asked.joint)
    _grip(sketch, asked, cover["floor"], wide, deep)
    write(cover["floor"], asked, wide, deep)
    for name, across in (("front", w), ("back", w)):
        if not notch:
            decorate(sketch, asked, made[name], across, h)


def hinged(sketch: Sketch, asked: Asked) -> None:
    """Eyes of sheet, with a tab each, go into the back of the box and of the lid by turns; a pin goes through all."""
    w, d, h = _size(asked)
    lid = asked.positive("lid_height", 18)
    made = Cuboid(w, d, h).panels(sketch, asked.joint)
    dividers(sketch, asked, w, d, h)
    cover = Cuboid(w, d, lid, names=LID, prefix="lid ").panels(sketch, asked.joint)
    knuckles(sketch, asked, made["back"], h, cover["back"], lid, w)
    magnet = asked.length("magnet", 0)
    if magnet:
        room("magnet", magnet, min(h, lid))
        for panel, tall in ((made["front"], h), (cover["front"], lid)):
            drill(panel, "magnet", magnet, w / 2, tall - magnet / 2 - LEFT_MM, w, tall)
    border = asked.length("pattern_border", 0)
    if border and "pattern" not in asked:  # a window
        room("pattern_border", 2 * border, min(w, d))
        cover["floor"].holes.append(rectangle(border, border, w - 2 * border, d - 2 * border))
    else:
        decorate(sketch, asked, cover["floor"], w, d)
    write(made["front"], asked, w, h if not magnet else h - magnet - 2 * LEFT_MM)


def sliding(sketch: Sketch, asked: Asked) -> None:
    """A lining of both sides carries the lid, a rail above keeps it down; the front ends below it."""
    w, d, h, t = *_size(asked), asked.thickness
    gap = asked.length("lid_gap", 0.3)
    top = h + t + gap + t
    wide = w + 2 * t
    made = Cuboid(wide, d, top, front_height=h).panels(sketch, asked.joint)
    for name in ("left", "right"):
        sketch.add(f"{name} lining", rectangle(0, 0, d, h))
        sketch.add(f"{name} rail", rectangle(0, 0, d, t))
    lid = sketch.add("lid", rectangle(0, 0, wide - 2 * gap, d + t))
    _grip(sketch, asked, lid, wide - 2 * gap, d + t, asked.length("finger_notch", 0))
    write(made["front"], asked, wide, h)


def _grip(sketch: Sketch, asked: Asked, panel: Panel, width: float, depth: float, diameter: float = 0) -> None:
    kind = asked.choice("lid_grip", "none")
    diameter = diameter or min(20.0, width / 3, depth / 3)
    if kind == "hole":
        drill(
            panel,
            "finger_notch",
            diameter,
            width / 2,
            diameter / 2 + 10 if depth > diameter + 24 else depth / 2,
            width,
            depth,
        )
    elif kind == "notch" and "lid_height" not in asked:
        room("finger_notch", diameter, min(width, depth))
        panel.outline[:] = box(
            width, depth, [scooped(width, diameter, depth / 2, "finger_notch"), flat(depth), flat(width), flat(depth)]
        )
    elif kind == "knob":
        pin = min(5.0, width / 6, depth / 6)
        panel.holes.append(circle((width / 2, depth / 2), pin))
        sketch.add("knob", circle((0, 0), min(KNOB_MM, width / 2)), [circle((0, 0), pin)])


def _size(asked: Asked) -> tuple[float, float, float]:
    return asked.positive("width", 140), asked.positive("depth", 100), asked.positive("height", 50)
