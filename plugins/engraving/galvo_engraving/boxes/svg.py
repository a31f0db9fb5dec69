"""Laid panels as SVG in mm: one path per contour, its part in `data-part`, coloured by what the laser does with it.

No text, no styles, no links: laser software reads it, and a browser may show it.
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from galvo_engraving.boxes.nest import Laid, Placed
from galvo_engraving.boxes.shapes import Contour

COLOURS = {"cut": "#000000", "score": "#0000ff", "engrave": "#ff0000"}
"""LightBurn's layers C00, C01 and C02."""
MARGIN_MM = 5.0
BETWEEN_SHEETS_MM = 20.0


def svg(laid: Laid, *, hairline: bool = False, margin: float = MARGIN_MM) -> bytes:
    """Several sheets stand side by side, `margin` mm round all. `hairline`: a pixel wide at any size, for screens."""
    step = laid.width + BETWEEN_SHEETS_MM
    width = laid.sheets * step - BETWEEN_SHEETS_MM + 2 * margin
    height = laid.height + 2 * margin
    stroke = 'stroke-width="1"' if hairline else 'stroke-width="0.1"'
    steady = ' vector-effect="non-scaling-stroke"' if hairline else ""
    found = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_number(width)}mm" height="{_number(height)}mm"'
        f' viewBox="0 0 {_number(width)} {_number(height)}">'
    ]
    # Engraved first, cut last: what is cut out lies no longer still.
    for operation in ("engrave", "score", "cut"):
        lines = [
            f"<path data-part={quoteattr(placed.panel.name)}{steady}"
            f' d="{_path(contour, margin + placed.sheet * step, height - margin, closed)}"/>'
            for placed in laid.placed
            for contour, closed in _lines(placed, operation)
        ]
        if lines:
            colour = COLOURS[operation]
            found.append(f'<g data-operation="{operation}" fill="none" stroke="{colour}" {stroke}>')
            found += [*lines, "</g>"]
    found.append("</svg>\n")
    return "\n".join(found).encode()


def _lines(placed: Placed, operation: str) -> list[tuple[Contour, bool]]:
    panel = placed.panel
    if operation == "engrave":
        return [(line, False) for line in panel.engraved]
    if operation == "score":
        return [(line, False) for line in panel.scores]
    return [
        *((line, False) for line in panel.cuts),
        *((hole, True) for hole in panel.holes),
        (panel.outline, True),
    ]


def _path(contour: Contour, left: float, low: float, closed: bool) -> str:
    """SVG's y points downwards."""
    points = " ".join(f"{_number(left + x)},{_number(low - y)}" for x, y in contour)
    return f"M{points}Z" if closed else f"M{points}"


def _number(value: float) -> str:
    """Micrometres."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
