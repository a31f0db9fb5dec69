"""Stands of slotted parts, and plates on the wall.

Read: width, depth, height, diameter, foot, corner_radius, tilt, lip, slot_width, slot_depth, slots, cable, screw,
rib, vents, sides, taper, finger, pattern, text. Ignored: finger and tilt of rails for records; thickness and play of a
rack, which is one plate; slot_depth of frames that cross, beyond half of their bar.
"""

from __future__ import annotations

import math

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.edges import Side, Span, box, comb, even, female, flat, male, notched, outline
from galvo_engraving.boxes.fittings import LEFT_MM, decorate, drill, room, write
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import Contour, arc, circle, clean, rounded
from galvo_engraving.problems import Unfit


def bookend(sketch: Sketch, asked: Asked) -> None:
    """A plate on a foot, and a brace in the corner."""
    w, d, h, t = (
        asked.positive("width", 120),
        asked.positive("depth", 110),
        asked.positive("height", 160),
        asked.thickness,
    )
    foot, fingers = asked.positive("foot", 90), comb(w, asked.joint)
    plate = sketch.add(
        "plate", _arched(w, h, asked.length("corner_radius", 15), female(w, fingers, t, play=asked.joint.play))
    )
    sketch.add("foot", box(w, foot, [flat(w), flat(foot), male(w, fingers, t), flat(foot)]))
    low, high = min(d, foot), h * 0.6
    sketch.add("brace", [(0, 0), (low, 0), (0, high)])
    if asked.flag("engrave_text"):
        write(plate, asked, w, h)
    else:
        decorate(sketch, asked, plate, w, h - min(asked.length("corner_radius"), h / 2))


def phone(sketch: Sketch, asked: Asked) -> None:
    """A plate and a leg, slotted half way into one another; the leg's top leans by `tilt`."""
    w, d, h = asked.positive("width", 75), asked.positive("depth", 85), asked.positive("height", 100)
    slot, tilt = asked.slot(), math.radians(asked.length("tilt", 18))
    lip, radius = asked.length("lip", 12), asked.length("corner_radius", 6)
    room("slot_width", slot, min(w, d))
    # The leg's slot leans as its top does, and stays inside of it.
    half = min(h / 4, (d / 2 - slot - LEFT_MM) / max(0.05, math.sin(tilt)))
    if half < LEFT_MM:
        raise Unfit(f"depth: {d:g} mm are not enough for a leg with a slot of {slot:g} mm")
    plate = sketch.add("plate", _arched(w, h, radius, notched(w, even(w, 1, slot, "slot_width"), half)))
    cable = asked.length("cable")
    drill(plate, "cable", cable, w / 2, half + cable / 2 + 2 * LEFT_MM, w, h)
    write(plate, asked, w, h - half - cable - 2 * LEFT_MM, half + cable + 2 * LEFT_MM)
    _leg(sketch, "leg", d, max(lip, half + LEFT_MM + 5), tilt, slot, half)


def laptop(sketch: Sketch, asked: Asked) -> None:
    """Two legs and two bars across, slotted into one another."""
    w, d, h = asked.positive("width", 260), asked.positive("depth", 240), asked.positive("height", 140)
    slot, deep = asked.slot(), asked.positive("slot_depth", 40)
    tilt, lip, rib = math.radians(asked.length("tilt", 14)), asked.length("lip", 15), asked.positive("rib", 40)
    room("slot_width", slot, min(d / 2, w / 2))
    front = max(h - d * math.tan(tilt), 0.3 * h)
    deep = min(deep, rib / 2, front - 4 * LEFT_MM, (d / 4 - slot / 2 - LEFT_MM) / max(0.05, math.sin(tilt)))
    if deep < LEFT_MM:
        raise Unfit(f"height: {h:g} mm are not enough for legs with slots")
    back = min(h, front + d * math.tan(tilt))
    for name in ("left leg", "right leg"):
        slope = math.dist((0, back), (d, front))
        top = notched(slope, even(slope, 2, slot, "slot_width"), deep)
        shape = outline([(0, 0), (d, 0), (d, front), (0, back)], [flat(d), flat(front), top, flat(back)])
        leg = sketch.add(name, shape)
        drill(leg, "cable", asked.length("cable"), d / 2, front / 4, d, front / 2)
    for number in (1, 2):
        bar = sketch.add(
            f"bar {number}",
            box(w, rib, [notched(w, even(w, 2, slot, "slot_width"), deep), flat(rib), flat(w), flat(rib)]),
        )
        _slits(sketch, asked, bar, w, rib, deep)
    if lip:
        for number in (1, 2):
            sketch.add(f"stop {number}", rounded(0, 0, max(lip, 8.0), lip + asked.thickness, 2))


def plant(sketch: Sketch, asked: Asked) -> None:
    """Frames that cross under the pot, each at a level of its own of their bars; a plate lies on them."""
    diameter, h = asked.positive("diameter", 180), asked.positive("height", 220)
    frames, t = max(2, math.ceil(asked.count("sides", 4) / 2)), asked.slot()
    rib, foot, deep = asked.positive("rib", 35), asked.positive("foot", 40), asked.positive("slot_depth", 20)
    lean = min(h * math.tan(math.radians(asked.length("taper", 6))), diameter / 4)
    bar = max(2.0 * 3, min(rib, h / 3))
    if deep < bar / 2:
        raise Unfit(f"slot_depth: frames go half of their bar into one another: {bar / 2:g} mm at least")
    level = bar / frames
    if level < LEFT_MM:
        raise Unfit(f"sides: {frames} frames do not cross in a bar of {bar:g} mm")
    # Two sheets that cross at less than a right angle meet in a longer rhombus.
    angle = math.pi / frames
    slot = t * (1 + math.cos(angle)) / math.sin(angle)
    leg = min(rib, diameter / 4)
    w = diameter + 2 * leg
    if slot + 2 * LEFT_MM > diameter - 2 * LEFT_MM:
        raise Unfit(f"slot_width: {slot:g} mm do not fit into {diameter:g} mm")
    y = h / 2
    mid = w / 2
    left, right, ends = mid - slot / 2, mid + slot / 2, min(foot, leg)
    for number in range(frames):
        # What stays of a bar where they cross; below it are the frames before, above it those that follow.
        low, high = y + number * level, y + (number + 1) * level
        under: Contour = [(left, y), (left, low), (right, low), (right, y)] if number else []
        over: Contour = [(right, y + bar), (right, high), (left, high), (left, y + bar)] if number < frames - 1 else []
        shape: Contour = [
            *((-lean, 0.0), (-lean + ends, 0.0), (leg, y), *under, (w - leg, y)),
            *((w + lean - ends, 0.0), (w + lean, 0.0), (w, h), (w - leg, h), (w - leg, y + bar)),
            *(*over, (leg, y + bar), (leg, h), (0.0, h)),
        ]
        sketch.add(f"frame {number + 1}", shape)
    sketch.add("plate", circle((0, 0), diameter - 2 * max(0.1, asked.joint.play)))


def record(sketch: Sketch, asked: Asked) -> None:
    """Two rails with `slots` from above, on two bars."""
    w, d, h = asked.positive("width", 320), asked.positive("depth", 120), asked.positive("height", 90)
    slot, deep, t = asked.positive("slot_width", 12), asked.positive("slot_depth", 60), asked.thickness
    room("slot_depth", deep, h)
    spans = even(d, max(1, asked.count("slots", 3)), slot, "slots")
    # The slots for the bars, from below, where no other one is: as deep as what is left allows.
    up = min((h - deep) / 2, 20.0)
    bars: list[Span] = even(d, 2, t + asked.joint.play, "depth")
    for name in ("left rail", "right rail"):
        rail = box(d, h, [notched(d, bars, up), flat(h), notched(d, _back(spans, d), deep), flat(h)])
        sketch.add(name, rail)
    tall = max(2 * up, 12.0)
    for number in (1, 2):
        bar = sketch.add(
            f"bar {number}",
            box(
                w,
                tall + up,
                [flat(w), flat(tall + up), notched(w, even(w, 2, t + asked.joint.play, "width"), up), flat(tall + up)],
            ),
        )
        if number == 1:
            write(bar, asked, w, tall)


def rack(sketch: Sketch, asked: Asked) -> None:
    """A plate with slots from below, between them tongues."""
    w, h = asked.positive("width", 220), asked.positive("height", 90)
    slot, deep = asked.positive("slot_width", 12), asked.positive("slot_depth", 25)
    radius, screw = min(asked.length("corner_radius", 8), h / 3), asked.length("screw", 4)
    if deep > h - screw - 4 * LEFT_MM - 4:
        raise Unfit(
            f"slot_depth: {deep:g} mm are too deep for a height of {h:g} mm: {max(0, h - screw - 12):g} at most"
        )
    low = notched(w, even(w, max(1, asked.count("slots", 6)), slot, "slots"), deep)
    plate = sketch.add("plate", _arched(w, h, radius, low))
    y = h - screw / 2 - 2 * LEFT_MM
    for x in (max(radius, screw) + 2 * LEFT_MM, w - max(radius, screw) - 2 * LEFT_MM):
        drill(plate, "screw", screw, x, y, w, h)
    aside = max(radius, screw) + 4 * LEFT_MM
    letters = Panel("", [])
    write(letters, asked, max(1.0, w - 2 * aside), max(1.0, h - deep - 2 * LEFT_MM), deep)
    plate.engraved += [[(x + aside, v) for x, v in stroke] for stroke in letters.engraved]


def _leg(sketch: Sketch, name: str, d: float, front: float, tilt: float, slot: float, deep: float) -> None:
    back = front + d * math.tan(tilt)
    slope = d / math.cos(tilt)
    top: Side = notched(slope, even(slope, 1, slot, "slot_width"), deep)
    sketch.add(name, outline([(0, 0), (d, 0), (d, front), (0, back)], [flat(d), flat(front), top, flat(back)]))


def _arched(w: float, h: float, radius: float, low: Side) -> Contour:
    """A plate whose upper corners are round, its lower edge as given."""
    radius = min(radius, w / 2, h / 2)
    below = [(u, -v) for u, v in low]
    if radius < 0.2:
        return clean([*below, (w, h), (0, h)])
    above = arc((w - radius, h - radius), radius, 0, math.pi / 2) + arc(
        (radius, h - radius), radius, math.pi / 2, math.pi / 2
    )
    return clean([*below, *above])


def _back(spans: list[Span], length: float) -> list[Span]:
    return [(length - b, length - a) for a, b in reversed(spans)]


def _slits(sketch: Sketch, asked: Asked, panel: Panel, w: float, h: float, above: float) -> None:
    """Ventilation, over the slots."""
    count, tall = asked.count("vents"), h - above - 2 * LEFT_MM
    if not count or tall < 3:
        return
    sketch.spend(count * 24, "vents")
    for a, b in even(w, count, min(4.0, w / count / 2), "vents"):
        panel.holes.append(rounded(a, above + LEFT_MM, b - a, tall, (b - a) / 2))
