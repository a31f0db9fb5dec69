"""A template with values, on sheets, as SVG: what a preview and an export are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from galvo_engraving.boxes.drawing import draw
from galvo_engraving.boxes.families import slotted
from galvo_engraving.boxes.nest import covered, nest
from galvo_engraving.boxes.panel import POINTS
from galvo_engraving.boxes.svg import svg
from galvo_engraving.boxes.values import Value, effective

SHAPE = 2.0
"""Width to height of a preview, about: rows are not full."""


def chosen(
    slug: str,
    parameters: Iterable[Mapping[str, Any]],
    given: Mapping[str, Any],
    *,
    thickness: float | None = None,
    kerf: float | None = None,
) -> dict[str, Value]:
    """What is drawn: `given` values, then what the material's sheet measures, then the template's defaults.

    Slots for the sheet are left to its thickness, unless their width is given.

    Raises Unfit, also when the template is not made for such a sheet.
    """
    rows = list(parameters)
    known = {row["name"] for row in rows}
    sheet = {"thickness": thickness, "kerf": kerf}
    values = {name: float(value) for name, value in sheet.items() if value is not None and name in known}
    found = effective(rows, {**values, **given})
    if "slot_width" not in given and slotted(slug, known):
        found.pop("slot_width", None)
    return found


def preview_svg(
    slug: str, values: Mapping[str, Value], *, title: str, bed_width: float | None = None, points: int = POINTS
) -> bytes:
    """On one sheet, about as wide as high where nobody says how wide. Raises Unfit, TooFine."""
    panels = draw(slug, values, title, points=points)
    width = float(values.get("sheet_width", bed_width or math.sqrt(SHAPE * covered(panels))))
    return svg(nest(panels, str(values.get("nesting", "rows")), width), hairline=True)


def sheets_svg(
    slug: str, values: Mapping[str, Value], *, title: str, bed: tuple[float, float], points: int = POINTS
) -> bytes:
    """On as many beds of a machine (width, height in mm) as it needs, each as large as that. Raises Unfit, TooFine."""
    width = min(bed[0], float(values.get("sheet_width", bed[0])))
    panels = draw(slug, values, title, points=points)
    return svg(nest(panels, str(values.get("nesting", "rows")), width, bed[1]), margin=0)
