"""What faces are pierced or engraved with."""

from __future__ import annotations

import math

from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import Contour, Point, arc, circle, regular

PITCH_MM = 14.0
WAVE_POINTS = 12


def pierce(sketch: Sketch, panel: Panel, pattern: str, scale: float, x: float, y: float, w: float, h: float) -> None:
    """Fill a rectangle of `panel` with `pattern`; nothing when not one motif fits."""
    pitch = PITCH_MM * scale
    if pattern == "none" or w < pitch or h < pitch:
        return
    if pattern == "waves":
        _waves(sketch, panel, pitch, x, y, w, h)
        return
    across = pitch * (math.sqrt(3) / 2 if pattern == "hexagons" else 1)
    columns, rows = int(w / pitch), int((h - pitch) / across) + 1
    left, low = x + (w - columns * pitch) / 2 + pitch / 2, y + (h - (rows - 1) * across) / 2
    sketch.spend(columns * rows * len(_motif(pattern, (0, 0), pitch, 0)), "pattern_scale")
    for row in range(rows):
        shifted = pattern == "hexagons" and row % 2
        for column in range(columns - 1 if shifted else columns):
            centre = (left + (column + (0.5 if shifted else 0)) * pitch, low + row * across)
            panel.holes.append(_motif(pattern, centre, pitch, row + column))


def _motif(pattern: str, centre: Point, pitch: float, number: int) -> Contour:
    if pattern == "dots":
        return circle(centre, pitch * 0.55)
    if pattern == "hexagons":
        return regular(centre, pitch * 0.47, 6, math.pi / 6)
    return _leaf(centre, pitch * 0.84, math.pi / 4 if number % 2 else -math.pi / 4)


def _leaf(centre: Point, length: float, angle: float) -> Contour:
    """Between two arcs of a quarter of a circle."""
    radius = length / math.sqrt(2)
    rise = radius / math.sqrt(2)
    found = (
        arc((0, -rise), radius, math.pi / 4, math.pi / 2)[:-1]
        + arc((0, rise), radius, -3 * math.pi / 4, math.pi / 2)[:-1]
    )
    cosine, sine = math.cos(angle), math.sin(angle)
    return [(centre[0] + px * cosine - py * sine, centre[1] + px * sine + py * cosine) for px, py in found]


def _waves(sketch: Sketch, panel: Panel, pitch: float, x: float, y: float, w: float, h: float) -> None:
    rows = int((h - pitch / 2) / pitch) + 1
    count = max(2, int(w / pitch * WAVE_POINTS))
    sketch.spend(rows * (count + 1), "pattern_scale")
    low = y + (h - (rows - 1) * pitch) / 2
    for row in range(rows):
        panel.engraved.append(
            [
                (x + w * i / count, low + row * pitch + pitch / 4 * math.sin(math.tau * w * i / count / (2 * pitch)))
                for i in range(count + 1)
            ]
        )
