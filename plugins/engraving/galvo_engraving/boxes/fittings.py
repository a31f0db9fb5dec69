"""What panels get besides their edges: grips, holes, slots for tabs, letters."""

from __future__ import annotations

import math
from collections.abc import Sequence

from galvo_engraving.boxes import strokes
from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.edges import Span
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.patterns import pierce
from galvo_engraving.boxes.shapes import bounds, circle, half_moon, inside, moved, rectangle, rounded, turned
from galvo_engraving.problems import Unfit

LEFT_MM = 2.0
"""Material that stays between an opening and an edge."""
LABEL_MM = 6.0
CLEAR_MM = 0.3
"""Between a label and what is cut."""
PLACES = (
    (0.5, 0.5),
    (0.25, 0.25),
    (0.75, 0.25),
    (0.25, 0.75),
    (0.12, 0.12),
    (0.5, 0.1),
    (0.5, 0.25),
    (0.5, 0.05),
    (0.05, 0.5),
    (0.025, 0.5),
)
"""Of a label, as shares of the panel."""


def room(name: str, wanted: float, there: float) -> None:
    """Raises Unfit when an opening does not leave enough round itself."""
    if wanted > there - 2 * LEFT_MM:
        raise Unfit(
            f"{name}: {wanted:g} mm do not fit into {max(0.0, there):g} mm: {max(0.0, there - 2 * LEFT_MM):g} at most"
        )


def drill(panel: Panel, name: str, diameter: float, x: float, y: float, width: float, height: float) -> None:
    """A round hole at (x, y) of a face that measures `width` by `height`; none when `diameter` is 0."""
    if diameter > 0:
        room(name, diameter, min(width, height, 2 * x, 2 * y, 2 * (width - x), 2 * (height - y)))
        panel.holes.append(circle((x, y), diameter))


def grip(panel: Panel, asked: Asked, width: float, height: float, low: float = 0) -> None:
    """`handle`, near the top of a wall whose lowest `low` mm have other openings."""
    kind, across = asked.choice("handle", "none"), asked.length("handle_width", min(90.0, width / 2))
    if kind == "none":
        return
    room("handle_width", across, width)
    if height - low < 5 * LEFT_MM:
        raise Unfit(f"handle: there is no room for it in a wall of {height:g} mm")
    left, top = (width - across) / 2, height - max(LEFT_MM, min(10.0, height / 5))
    if kind == "half-moon":
        panel.holes.append(half_moon(left, top, across, min(across / 2, top - low - LEFT_MM)))
    elif kind == "slot":
        tall = min(25.0, across / 2, top - low - LEFT_MM)
        panel.holes.append(rounded(left, top - tall, across, tall, tall / 2))
    else:  # two slits that a strap goes through
        tall = min(12.0, top - low - LEFT_MM)
        wide = min(3.0, across / 4)
        panel.holes += [rounded(x, top - tall, wide, tall, wide / 2) for x in (left, left + across - wide)]


def tabs(
    panel: Panel,
    fingers: Sequence[Span],
    asked: Asked,
    x: float,
    y: float,
    angle: float = 0,
    thick: float | None = None,
) -> None:
    """Slots for the fingers of a panel that meets this one along a line from (x, y), turned by `angle` radians.

    The line is the middle of the other panel's thickness.
    """
    play = asked.joint.play
    tall = (asked.thickness if thick is None else thick) + play
    if tall <= 0.05:
        raise Unfit("play: it leaves no room for a tab: choose more play")
    for a, b in fingers:
        slot = rectangle(a - play / 2, -tall / 2, b - a + play, tall)
        panel.holes.append(moved(turned(slot, angle), x, y))


def grid(sketch: Sketch, panel: Panel, asked: Asked, most: int, x: float, y: float, width: float, height: float) -> int:
    """At most `most` holes of `hole` every `hole_pitch` into a rectangle; returns how many there was room for."""
    diameter, pitch = asked.positive("hole", 6), asked.positive("hole_pitch", 15)
    if pitch < diameter + 1:
        raise Unfit(f"hole_pitch: holes of {diameter:g} mm need {diameter + 1:g} at least")
    columns = int((width - diameter - 2 * LEFT_MM) / pitch) + 1 if width >= diameter + 2 * LEFT_MM else 0
    rows = int((height - diameter - 2 * LEFT_MM) / pitch) + 1 if height >= diameter + 2 * LEFT_MM else 0
    if not columns or not rows:
        raise Unfit(f"hole: {diameter:g} mm do not fit into {width:g} by {height:g} mm")
    count = min(most, columns * rows)
    rows = math.ceil(count / columns)
    columns = math.ceil(count / rows)
    left, low = x + (width - (columns - 1) * pitch) / 2, y + (height - (rows - 1) * pitch) / 2
    sketch.spend(count * len(circle((0, 0), diameter)), "holes")
    for number in range(count):
        centre = (left + number % columns * pitch, low + number // columns * pitch)
        panel.holes.append(circle(centre, diameter))
    return count


def decorate(sketch: Sketch, asked: Asked, panel: Panel, width: float, height: float) -> None:
    """`pattern` on a face, `pattern_border` and more away from its edges."""
    border = asked.length("pattern_border", 8) + LEFT_MM
    scale = max(0.1, asked.number("pattern_scale", 1))
    pattern = asked.choice("pattern", "none")
    pierce(sketch, panel, pattern, scale, border, border, width - 2 * border, height - 2 * border)


def write(panel: Panel, asked: Asked, width: float, height: float, low: float = 0) -> None:
    """The project's name, in the middle of a face, as large as was asked for and as fits."""
    if not asked.flag("engrave_text"):
        return
    tall = min(asked.positive("text_height", 8), height * 0.6)
    letters = strokes.lines(asked.title, tall)
    if not letters:
        return
    wide = strokes.width(letters)
    shrunk = min(1.0, width * 0.9 / wide) if wide else 1.0
    dx, dy = (width - wide * shrunk) / 2, low + (height - tall * shrunk) / 2
    panel.engraved += [[(x * shrunk + dx, y * shrunk + dy) for x, y in stroke] for stroke in letters]


def label(panel: Panel, text: str) -> None:
    """A letter, scored where there is nothing else; none on parts that have no such place."""
    left, low, right, top = bounds(panel.outline)
    largest = min(LABEL_MM, (top - low) / 4, (right - left) / (2 * len(text)))
    for tall in (largest, largest / 2):
        letters = strokes.lines(text, tall)
        wide = strokes.width(letters)
        for fx, fy in PLACES:
            x, y = left + (right - left) * fx - wide / 2, low + (top - low) * fy - tall / 2
            placed = [moved(stroke, x, y) for stroke in letters]
            if _free(panel, x, y, wide, tall) and all(
                inside(panel.outline, point) for line in placed for point in line
            ):
                panel.scores += placed
                return


def _free(panel: Panel, x: float, y: float, width: float, height: float) -> bool:
    others = (*panel.holes, *panel.cuts, *panel.scores, *panel.engraved)
    return (
        not any(_near(other, x, y, width, height) for other in others)
        and not any(x <= px <= x + width and y <= py <= y + height for px, py in panel.outline)
        and all(inside(panel.outline, corner) for corner in rectangle(x, y, width, height))
    )


def _near(hole: list[tuple[float, float]], x: float, y: float, width: float, height: float) -> bool:
    left, low, right, top = bounds(hole)
    c = CLEAR_MM
    return left < x + width + c and right > x - c and low < y + height + c and top > y - c
