"""The beam takes away half of its width on either side of where it goes: contours are moved by that much."""

from __future__ import annotations

import math

from galvo_engraving.boxes.panel import Panel
from galvo_engraving.boxes.shapes import Contour, area, clean
from galvo_engraving.problems import Unfit


def compensated(panel: Panel, kerf: float) -> Panel:
    """What the beam follows, so that `panel` is left: its outline half of `kerf` outwards, its holes inwards.

    Raises Unfit when something is finer than the beam.
    """
    if not kerf:
        return panel
    return Panel(
        panel.name,
        offset(panel.outline, kerf / 2),
        [offset(hole, -kerf / 2) for hole in panel.holes],
        panel.cuts,
        panel.scores,
        panel.engraved,
    )


def offset(contour: Contour, distance: float) -> Contour:
    """Each edge moved `distance` mm to the outside, the corners where the moved edges meet."""
    contour = clean(contour)
    if area(contour) < 0:
        contour.reverse()
    count = len(contour)
    found: Contour = []
    for i, (x, y) in enumerate(contour):
        px, py = contour[i - 1]
        nx, ny = contour[(i + 1) % count]
        ax, ay = _unit(x - px, y - py)
        bx, by = _unit(nx - x, ny - y)
        cross = ax * by - ay * bx
        if abs(cross) < 1e-6:  # nearly straight
            found.append((x + ay * distance, y - ax * distance))
        else:
            found.append((x + distance * (ax - bx) / cross, y + distance * (ay - by) / cross))
    for i, (x, y) in enumerate(found):
        nx, ny = found[(i + 1) % count]
        ox, oy = contour[i]
        mx, my = contour[(i + 1) % count]
        if (nx - x) * (mx - ox) + (ny - y) * (my - oy) <= 0:
            raise Unfit(f"kerf: {2 * abs(distance):g} mm burn away the finest detail: choose less, or coarser details")
    return found


def _unit(x: float, y: float) -> tuple[float, float]:
    length = math.hypot(x, y)
    return x / length, y / length
