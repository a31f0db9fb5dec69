"""How far the beam goes for a drawing: what an estimate is made of where nobody has said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from galvo_engraving.boxes.drawing import draw
from galvo_engraving.boxes.panel import POINTS
from galvo_engraving.boxes.shapes import Contour, bounds
from galvo_engraving.boxes.values import Value


def measured(slug: str, values: Mapping[str, Value], *, title: str, points: int = POINTS) -> list[dict[str, Any]]:
    """Like parts of a project: all that is cut, all that is scored, and of each panel the area that is engraved (mm).

    Raises Unfit, TooFine.
    """
    panels = draw(slug, values, title, points=points)
    cut = sum(
        sum(map(_round, (panel.outline, *panel.holes))) + sum(_along(line) for line in panel.cuts) for panel in panels
    )
    scored = sum(_along(line) for panel in panels for line in panel.scores)
    found = [_part(operation, path_mm=path) for operation, path in (("cut", cut), ("score", scored)) if path]
    for panel in panels:
        if panel.engraved:
            left, low, right, top = bounds(point for line in panel.engraved for point in line)
            found.append(_part("engrave", width_mm=right - left, height_mm=top - low))
    return found


def _part(operation: str, **lengths: float) -> dict[str, Any]:
    return {"name": "the drawing", "operation": operation, "quantity": 1, **lengths}


def _along(line: Contour) -> float:
    return sum(map(math.dist, line, line[1:]))


def _round(contour: Contour) -> float:
    return _along([*contour, contour[0]])
