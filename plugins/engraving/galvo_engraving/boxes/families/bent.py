"""Boxes with a wall that is slit until it bends (a living hinge), and card that is folded.

Read: width, depth, height, bend_radius or corner_radius, slit_length, slit_pitch, slit_bridge, wrap_angle, magnet,
floor, glue_tab, finger_notch, diameter, hole, rib, ribs, text, and the joint. Ignored: hinge_angle; wrap_angle of boxes
and cases, whose strip goes round what it has to; magnet and play of a case (its strip is glued); pattern of a shade,
which is slit all over.
"""

from __future__ import annotations

import math

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.cuboid import Cuboid
from galvo_engraving.boxes.edges import Side, Span, comb, scooped
from galvo_engraving.boxes.fittings import LEFT_MM, decorate, drill, room, write
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import Contour, Point, arc, circle, clean, rectangle, rounded
from galvo_engraving.problems import Unfit

LEAST_STRAIGHT_MM = 4.0


def wrapped(sketch: Sketch, asked: Asked) -> None:
    """Wall and lid in one strip, round two sides that are the box's profile."""
    w, d, h = _size(asked)
    radius = _radius(asked, "bend_radius", d, h)
    strip = ring(sketch, asked, (d, h), radius, w, ends=2, name="side")
    magnet = asked.length("magnet")
    if magnet:
        drill(strip, "magnet", magnet, magnet / 2 + LEFT_MM + 2, w / 2, max(d, h), w)
    write(strip, asked, max(10.0, d - 2 * radius), w)


def rounded_walls(sketch: Sketch, asked: Asked) -> None:
    """Four bent corners round a floor, and a seam with a strip of glue."""
    w, d, h = _size(asked)
    radius = _radius(asked, "corner_radius", w, d)
    ring(sketch, asked, (w, d), radius, h, ends=0 if asked.choice("floor", "closed") == "open" else 1, name="floor")
    sketch.add("glue strip", rectangle(0, 0, asked.positive("glue_tab", 12), h))


def half_round(sketch: Sketch, asked: Asked) -> None:
    """Ends of leather, sewn or glued on: no fingers."""
    w, d, h = _size(asked)
    radius = min(asked.positive("bend_radius", 25), max(0.1, (min(d, h) - LEAST_STRAIGHT_MM) / 2))
    strip = ring(sketch, asked, (d, h), radius, w, ends=0, name="end")
    tab = asked.positive("glue_tab", 8)
    for number in (1, 2):
        sketch.add(f"leather end {number}", rounded(0, 0, d + 2 * tab, h + 2 * tab, radius))
    write(strip, asked, d - 2 * radius, w)


def matchbox(sketch: Sketch, asked: Asked) -> None:
    """A tray in a sleeve."""
    w, d, h = _size(asked)
    t, gap = asked.thickness, asked.length("drawer_gap", 0.5)
    notch = asked.length("finger_notch")
    tops: dict[str, Side] = {}
    if notch:
        room("finger_notch", notch / 2, h)
        tops = {"front": scooped(w, notch, h - LEFT_MM, "finger_notch")}
    Cuboid(w, d, h, tops=tops, prefix="tray ").panels(sketch, asked.joint)
    wide, tall = w + 2 * t + 2 * gap, h + t + 2 * gap
    radius = _radius(asked, "bend_radius", wide, tall)
    strip = ring(sketch, asked, (wide, tall), radius, d + 2 * t, ends=0, name="sleeve")
    sketch.add("glue strip", rectangle(0, 0, asked.positive("glue_tab", 6), d + 2 * t))
    write(strip, asked, wide - 2 * radius, d)


def roll_top(sketch: Sketch, asked: Asked) -> None:
    """Slats on leather, that run over two round sides."""
    w, d, h = _size(asked)
    t, rib = asked.thickness, asked.positive("rib", 7)
    radius = _radius(asked, "bend_radius", d, h)
    made = Cuboid(w, d, max(5.0, h - radius)).panels(sketch, asked.joint)
    for name in ("left", "right"):
        sketch.add(f"{name} guide", rounded(0, 0, d, h, radius))
    for number in range(1, asked.count("ribs", 24) + 1):
        sketch.add(f"slat {number}", rectangle(0, 0, w + 2 * t - 2 * asked.length("lid_gap", 0.6), rib))
    write(made["front"], asked, w, max(5.0, h - radius))


def shade(sketch: Sketch, asked: Asked) -> None:
    """A slit strip round two rings."""
    diameter, h = asked.positive("diameter", 240), asked.positive("height", 180)
    t, angle, tab = asked.thickness, math.radians(asked.positive("wrap_angle", 360)), asked.positive("glue_tab", 12)
    length = (diameter + t) / 2 * angle
    strip = sketch.add("strip", rectangle(0, 0, length + tab, h))
    _slits(sketch, asked, strip, 0, length, h)
    strip.scores.append([(length, LEFT_MM), (length, h - LEFT_MM)])
    hole = asked.positive("hole", 40)
    room("hole", hole, diameter)
    spokes = max(2, asked.count("ribs", 3))
    rim = min(12.0, (diameter - hole) / 6)
    for number in (1, 2):
        ring_ = sketch.add(f"ring {number}", circle((0, 0), diameter), [circle((0, 0), hole)])
        _windows(sketch, ring_, hole / 2 + rim, diameter / 2 - rim, spokes, rim)


def gift(sketch: Sketch, asked: Asked) -> None:
    """Two crosses of card: scored folds, and tabs of glue at the short flaps."""
    w, d, h = _size(asked)
    gap, lid = asked.length("lid_gap", 0.5), asked.positive("lid_height", 25)
    t = asked.thickness
    for name, wide, deep, tall in (("box", w, d, h), ("lid", w + 2 * t + 2 * gap, d + 2 * t + 2 * gap, lid)):
        tab = min(asked.positive("glue_tab", 10), wide / 3)
        lean = min(tab, tall / 4)
        # Tabs at the ends of the front's and back's flaps.
        outer: Contour = [
            *((0, -tall), (wide, -tall), (wide + tab, -tall + lean), (wide + tab, -lean / 2), (wide, 0)),
            *((wide + tall, 0), (wide + tall, deep), (wide, deep), (wide + tab, deep + lean / 2)),
            *((wide + tab, deep + tall - lean), (wide, deep + tall), (0, deep + tall), (-tab, deep + tall - lean)),
            *(
                (-tab, deep + lean / 2),
                (0, deep),
                (-tall, deep),
                (-tall, 0),
                (0, 0),
                (-tab, -lean / 2),
                (-tab, -tall + lean),
            ),
        ]
        panel = sketch.add(name, outer)
        folds: list[tuple[Point, Point]] = [
            *(((0, 0), (wide, 0)), ((wide, 0), (wide, deep)), ((wide, deep), (0, deep)), ((0, deep), (0, 0))),
            *(((wide, -tall), (wide, 0)), ((wide, deep), (wide, deep + tall))),
            *(((0, deep), (0, deep + tall)), ((0, -tall), (0, 0))),
        ]
        panel.scores += [[*fold] for fold in folds]
        if name == "lid":
            decorate(sketch, asked, panel, wide, deep)
            write(panel, asked, wide, tall, -tall)


def ring(
    sketch: Sketch, asked: Asked, profile: tuple[float, float], radius: float, width: float, *, ends: int, name: str
) -> Panel:
    """A strip of `width` round a `profile` with round corners, and the `ends` that it is joined to by fingers."""
    t, joint = asked.thickness, asked.joint
    straight = [profile[0] - 2 * radius, profile[1] - 2 * radius] * 2
    bend = (radius + t / 2) * math.pi / 2  # the middle of the sheet keeps its length
    length = sum(straight) + 4 * bend
    gaps: list[Span] = []
    at = 0.0
    zones = []
    for part in straight:
        gaps += [(at + a - joint.play / 2, at + b + joint.play / 2) for a, b in comb(part, joint)]
        zones.append((at + part, at + part + bend))
        at += part + bend
    low = _edge(gaps, t) if ends else []
    high = [(x, width - y) for x, y in reversed(_edge(gaps, t))] if ends > 1 else []
    bottom = [(0.0, -t if ends else 0.0), *low, (length, -t if ends else 0.0)]
    top = [(length, width + (t if ends > 1 else 0)), *high, (0.0, width + (t if ends > 1 else 0))]
    strip = sketch.add("strip", [*bottom, *top])
    for a, b in zones:
        _slits(sketch, asked, strip, a, b - a, width)
    for number in range(1, ends + 1):
        sketch.add(
            f"{name} {number}" if ends > 1 else name,
            _plate(profile, radius, [comb(part, joint) for part in straight], t),
        )
    return strip


def _edge(gaps: list[Span], t: float) -> Contour:
    return [point for a, b in gaps for point in ((a, -t), (a, 0.0), (b, 0.0), (b, -t))]


def _plate(profile: tuple[float, float], radius: float, fingers: list[list[Span]], t: float) -> Contour:
    """The profile, its fingers outwards on its straight edges."""
    a, b = profile
    starts = [(radius, 0.0), (a, radius), (a - radius, b), (0.0, b - radius)]
    ways = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    centres = [(a - radius, radius), (a - radius, b - radius), (radius, b - radius), (radius, radius)]
    found: Contour = []
    for number, ((x, y), (dx, dy), centre) in enumerate(zip(starts, ways, centres, strict=True)):
        for low, high in fingers[number]:
            found += [(x + dx * u + dy * v, y + dy * u - dx * v) for u, v in ((low, 0), (low, t), (high, t), (high, 0))]
        found += arc(centre, radius, math.pi * (number - 1) / 2, math.pi / 2)
    return clean(found)


def _slits(sketch: Sketch, asked: Asked, panel: Panel, x: float, length: float, width: float) -> None:
    """Columns of slits, every second one shifted by half of a slit and its bridge."""
    pitch, bridge = asked.positive("slit_pitch", 2.2), asked.positive("slit_bridge", 2.5)
    slit = asked.positive("slit_length", min(22.0, max(5.0, width / 3)))
    columns, period = int(length / pitch), slit + bridge
    sketch.spend(int(columns * (width / period + 2) * 2), "slit_pitch")
    first = x + (length - (columns - 1) * pitch) / 2
    for column in range(columns):
        at = -slit - (period / 2 if column % 2 else 0)
        while at < width:
            low, high = max(bridge / 2, at), min(width - bridge / 2, at + slit)
            if high - low > 0.5:
                panel.cuts.append([(first + column * pitch, low), (first + column * pitch, high)])
            at += period


def _windows(sketch: Sketch, panel: Panel, inner: float, outer: float, count: int, rib: float) -> None:
    """Openings of a ring between its spokes."""
    if outer - inner < 3:
        return
    for number in range(count):
        start, part = math.tau * number / count, math.tau / count
        near, far = part - rib / inner, part - rib / outer
        if near * inner < 3:
            return
        hole = arc((0, 0), outer, start + (part - far) / 2, far)
        hole += reversed(arc((0, 0), inner, start + (part - near) / 2, near))
        sketch.spend(len(hole), "ribs")
        panel.holes.append(hole)


def _radius(asked: Asked, name: str, first: float, second: float) -> float:
    radius = asked.positive(name, 15) if asked.length(name, 15) >= 0.1 else 0.1
    most = (min(first, second) - LEAST_STRAIGHT_MM) / 2
    if radius > most:
        raise Unfit(f"{name}: {radius:g} mm are too much for {first:g} by {second:g} mm: {max(0.0, most):g} at most")
    return radius


def _size(asked: Asked) -> tuple[float, float, float]:
    return asked.positive("width", 130), asked.positive("depth", 90), asked.positive("height", 55)
