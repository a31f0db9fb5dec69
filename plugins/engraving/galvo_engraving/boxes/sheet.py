"""A template with values, on sheets, as SVG: what a preview and an export are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from galvo_engraving.boxes.drawing import draw
from galvo_engraving.boxes.nest import nest
from galvo_engraving.boxes.svg import svg
from galvo_engraving.boxes.values import Value, effective

SHEET_MM = 600.0
"""Where neither the template nor a machine says how wide sheets are."""


def chosen(
    parameters: Iterable[Mapping[str, Any]],
    given: Mapping[str, Any],
    *,
    thickness: float | None = None,
    kerf: float | None = None,
) -> dict[str, Value]:
    """What is drawn: `given` values, then what the material's sheet measures, then the template's defaults.

    Raises Unfit, also when the template is not made for such a sheet.
    """
    rows = list(parameters)
    known = {row["name"] for row in rows}
    sheet = {"thickness": thickness, "kerf": kerf}
    values = {name: float(value) for name, value in sheet.items() if value is not None and name in known}
    return effective(rows, {**values, **given})


def preview_svg(slug: str, values: Mapping[str, Value], *, title: str, bed_width: float | None = None) -> bytes:
    """On one sheet. Raises Unfit."""
    width = float(values.get("sheet_width", bed_width or SHEET_MM))
    laid = nest(draw(slug, values, title), str(values.get("nesting", "rows")), width)
    return svg(laid, hairline=True)


def project_svg(
    slug: str,
    parameters: Iterable[Mapping[str, Any]],
    given: Mapping[str, Any],
    *,
    name: str,
    thickness_mm: float | None,
    kerf_mm: float | None,
    bed_width_mm: float,
    bed_height_mm: float,
) -> bytes:
    """A project's panels, on as many beds of its machine as they need.

    `slug` and `parameters` (rows of box_parameter) are its template's, `given` its own values, `name` what is engraved,
    `kerf_mm` that of its material's cut setting. Raises Unfit.
    """
    values = chosen(parameters, given, thickness=thickness_mm, kerf=kerf_mm)
    width = min(bed_width_mm, float(values.get("sheet_width", bed_width_mm)))
    return svg(nest(draw(slug, values, name), str(values.get("nesting", "rows")), width, bed_height_mm))
