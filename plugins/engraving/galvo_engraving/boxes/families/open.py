"""Boxes and trays: walls, a floor, perhaps a top; dividers; slots for loose walls.

Read: width, depth, height, floor, handle, handle_width, finger_notch, columns, rows, divider_height, slots,
slot_width, slot_depth, divider_slope, lip, foot, levels, vents, drawers, cable, pattern, text, and the joint.
Ignored: corner_radius (fingers go up to the corner), lip where the floor is level, pattern on walls that are too low.
"""

from __future__ import annotations

import math

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.cuboid import Cuboid
from galvo_engraving.boxes.edges import Side, box, even, flat, male, notched, scooped, tongues
from galvo_engraving.boxes.families.drawers import chest
from galvo_engraving.boxes.fittings import LEFT_MM, decorate, drill, grip, room, tabs, write
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import rectangle, rounded
from galvo_engraving.problems import Unfit


def closed(sketch: Sketch, asked: Asked) -> None:
    _walls(sketch, asked, top=True)


def tray(sketch: Sketch, asked: Asked) -> None:
    w, d, h = asked.positive("width", 150), asked.positive("depth", 100), asked.positive("height", 60)
    _walls(sketch, asked)
    if "slots" in asked:
        _loose_walls(sketch, asked, w, d, h)
    else:
        dividers(sketch, asked, w, d, h)
    if asked.count("drawers"):
        chest(sketch, asked, w, d, max(25.0, h / 3), "chest ")


def stacking(sketch: Sketch, asked: Asked) -> None:
    """`levels` trays, with feet that stand in the rim of the one below."""
    w, d = asked.positive("width", 300), asked.positive("depth", 200)
    foot = min(asked.positive("foot", 12), w / 3, d / 3)
    for number in range(1, max(1, asked.count("levels", 1)) + 1):
        _walls(sketch, asked, prefix=f"tray {number} ")
        for corner in range(1, 5):
            sketch.add(f"tray {number} foot {corner}", rectangle(0, 0, foot, foot))


def sloped(sketch: Sketch, asked: Asked) -> None:
    """The floor rises to the back, held by tabs in both sides; the front is as low as `lip`."""
    w, d, h = asked.positive("width", 200), asked.positive("depth", 150), asked.positive("height", 60)
    t, slope = asked.thickness, math.radians(asked.length("divider_slope", 15))
    rise, along = d * math.tan(slope), (d - 2 * t) / math.cos(slope) - t * math.sin(slope)
    lip = asked.length("lip", 15)
    if 2 * t + LEFT_MM + along * math.sin(slope) + max(0.0, asked.joint.play) + 1 > h:
        raise Unfit(f"divider_slope: over {d:g} mm the floor rises {rise:.0f} mm, too much for a height of {h:g} mm")
    if along < 10:
        raise Unfit(f"depth: {d:g} mm are not enough for a floor that leans")
    front = min(h, lip + 2 * t + 5)
    made = Cuboid(w, d, h, front_height=front, floor="open").panels(sketch, asked.joint)
    fingers = tongues(along, asked.joint)
    floor_end = male(along, fingers, t)
    sketch.add("floor", box(w, along, [flat(w), floor_end, flat(w), floor_end]))
    # Its middle begins this far from the front, over the bottom.
    x, y = t + t * math.sin(slope), t + LEFT_MM
    tabs(made["right"], fingers, asked, x, y, slope)
    tabs(made["left"], fingers, asked, d - x, y, math.pi - slope)
    top = asked.length("divider_height", h / 2)
    for number in range(1, asked.count("columns", 1)):
        lean = min(top, h - t - LEFT_MM - rise)
        if lean < LEFT_MM:
            raise Unfit("divider_slope: the floor rises so much that it leaves no room for dividers")
        back = d - max(0.0, asked.joint.play)
        up = back * math.tan(slope)
        sketch.add(f"divider {number}", [(0, 0), (back, up), (back, up + lean), (0, min(top, up + lean))])
    write(made["front"], asked, w, front)


def dividers(sketch: Sketch, asked: Asked, w: float, d: float, h: float, prefix: str = "") -> None:
    """A loose grid: the walls from front to back are slotted from above, the other ones from below."""
    columns, rows = max(1, asked.count("columns", 1)), max(1, asked.count("rows", 1))
    tall = min(asked.positive("divider_height", h), h)
    slot, play = asked.thickness + asked.joint.play, asked.joint.play
    loose = max(play, 0.0)
    deep, wide = d - loose, w - loose
    for name, length, count in (("columns", w, columns), ("rows", d, rows)):
        if length / count < slot + 3:
            raise Unfit(f"{name}: {count} compartments do not fit into {length:g} mm")

    def cuts(length: float, count: int) -> list[tuple[float, float]]:
        middles = [i * length / count - loose / 2 for i in range(1, count)]
        return [(middle - slot / 2, middle + slot / 2) for middle in middles]

    top = notched(deep, cuts(d, rows), tall / 2) if rows > 1 else flat(deep)
    low = notched(wide, cuts(w, columns), tall / 2) if columns > 1 else flat(wide)
    for number in range(1, columns):
        sketch.add(f"{prefix}divider {number}", box(deep, tall, [flat(deep), flat(tall), top, flat(tall)]))
    for number in range(1, rows):
        sketch.add(f"{prefix}cross divider {number}", box(wide, tall, [low, flat(tall), flat(wide), flat(tall)]))


def _loose_walls(sketch: Sketch, asked: Asked, w: float, d: float, h: float) -> None:
    """Walls that hang by their ears in the slots of the front and back."""
    t, depth, play = asked.thickness, asked.positive("slot_depth", h / 2), max(0.0, asked.joint.play)
    tall = min(asked.positive("divider_height", h), h)
    ears = min(depth, tall) - play
    inside = d - play
    for number in range(1, min(4, asked.count("slots", 1)) + 1):
        below = tall - ears
        if below <= 0.5:
            sketch.add(f"wall {number}", rectangle(-t, 0, d + 2 * t, tall))
            continue
        sketch.add(
            f"wall {number}",
            [
                *((play / 2, 0.0), (play / 2 + inside, 0.0), (play / 2 + inside, below), (d + t, below)),
                *((d + t, tall), (-t, tall), (-t, below), (play / 2, below)),
            ],
        )


def _walls(sketch: Sketch, asked: Asked, *, top: bool = False, prefix: str = "") -> dict[str, Panel]:
    w, d, h = asked.positive("width", 120), asked.positive("depth", 80), asked.positive("height", 60)
    tops: dict[str, Side] = {}
    if not top:
        if "slots" in asked:
            depth = asked.positive("slot_depth", h / 2)
            if depth > h - LEFT_MM:
                raise Unfit(f"slot_depth: {depth:g} mm are too deep for a wall of {h:g} mm")
            slots = even(w, max(1, asked.count("slots", 1)), asked.slot(), "slots")
            tops = {"front": notched(w, slots, depth), "back": notched(w, slots, depth)}
        elif asked.length("finger_notch"):
            room("finger_notch", asked.length("finger_notch") / 2, h)
            tops = {"front": scooped(w, asked.length("finger_notch"), h - LEFT_MM, "finger_notch")}
    floor = asked.choice("floor", "closed")
    made = Cuboid(w, d, h, floor=floor, top=top, tops=tops, prefix=prefix).panels(sketch, asked.joint)
    for name in ("left", "right"):
        grip(made[name], asked, d, h)
        _vents(sketch, asked, made[name], d, h)
    for name, wide in (("front", w), ("back", w), ("left", d), ("right", d)):
        if tops.get(name) is None and not (name == "front" and asked.flag("engrave_text")):
            handle = name in ("left", "right") and asked.choice("handle", "none") != "none"
            if not handle and not asked.count("vents"):
                decorate(sketch, asked, made[name], wide, h)
    if "floor" in made and floor == "closed":
        drill(made["floor"], "cable", asked.length("cable"), w / 2, d / 2, w, d)
    write(made["front"], asked, w, h)
    return made


def _vents(sketch: Sketch, asked: Asked, panel: Panel, width: float, height: float) -> None:
    count = asked.count("vents")
    if not count:
        return
    sketch.spend(count * 24, "vents")
    spans = even(width - 2 * LEFT_MM, count, min(2.5, width / count / 2), "vents")
    tall = height / 2
    panel.holes += [rounded(LEFT_MM + a, height / 4, b - a, tall, (b - a) / 2) for a, b in spans]
