"""Room in inside corners, so that square parts seat although a beam leaves corners round."""

from __future__ import annotations

import math

from galvo_engraving.boxes.panel import Panel
from galvo_engraving.boxes.shapes import Contour, area

RADIUS_MM = 0.5


def dogboned(panel: Panel) -> Panel:
    """Outlines where they turn inwards by about a right angle, square holes at every corner."""
    holes = [_relieved(hole, 1) if len(hole) == 4 else hole for hole in panel.holes]
    return Panel(panel.name, _relieved(panel.outline, -1), holes, panel.cuts, panel.scores, panel.engraved)


def _relieved(contour: Contour, sense: int) -> Contour:
    """`sense`: 1 at corners that turn left (of a hole: into the material), -1 at those that turn right."""
    if area(contour) < 0:
        contour = contour[::-1]
    count = len(contour)
    found: Contour = []
    for i, (x, y) in enumerate(contour):
        px, py = contour[i - 1]
        nx, ny = contour[(i + 1) % count]
        a, b = math.dist((px, py), (x, y)), math.dist((x, y), (nx, ny))
        ax, ay, bx, by = (x - px) / a, (y - py) / a, (nx - x) / b, (ny - y) / b
        radius = min(RADIUS_MM, a / 4, b / 4)
        if sense * (ax * by - ay * bx) < 0.9 or radius < 0.1:
            found.append((x, y))
            continue
        # The circle through the corner whose centre is in the opening, between the two edges.
        ux, uy = bx - ax, by - ay
        size = math.hypot(ux, uy)
        cx, cy = x + radius * ux / size, y + radius * uy / size
        enter = (x - ax * radius * math.sqrt(2), y - ay * radius * math.sqrt(2))
        begin = math.atan2(enter[1] - cy, enter[0] - cx)
        found += [
            (
                cx + radius * math.cos(begin + sense * math.pi * step / 8),
                cy + radius * math.sin(begin + sense * math.pi * step / 8),
            )
            for step in range(9)
        ]
    return found
