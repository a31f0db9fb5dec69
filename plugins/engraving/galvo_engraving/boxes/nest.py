"""Lays panels on sheets in rows: next-fit and first-fit decreasing height (Coffman, Garey, Johnson, Tarjan 1980)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from galvo_engraving.boxes.panel import Panel
from galvo_engraving.boxes.shapes import Contour, bounds
from galvo_engraving.problems import Unfit

BETWEEN_MM = 3.0
NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel, moved to where it lies; y upwards, from the lower edge of its sheet."""

    panel: Panel
    sheet: int


@dataclass(frozen=True, slots=True)
class Laid:
    """All of them, and what they cover in mm."""

    placed: list[Placed]
    width: float
    height: float
    sheets: int


@dataclass(slots=True)
class _Row:
    y: float
    height: float
    right: float
    sheet: int


def nest(panels: Sequence[Panel], how: str, width: float, height: float | None = None) -> Laid:
    """`how`: rows (as they come), tight (any row with room, turned where that saves height), by-part (alike together).

    Sheets are `width` wide and `height` high; None: one sheet, as high as it gets and as wide as the widest panel.
    Raises Unfit when a panel does not fit on a sheet.
    """
    sized = [(panel, *_size(panel)) for panel in panels]
    if height is None:
        width = max([width, *(min(w, h) if how == "tight" else w for _, w, h in sized)])
    groups: list[list[tuple[Panel, float, float]]] = [sized]
    if how == "by-part":
        groups = [list(group) for _, group in groupby(sorted(sized, key=_kind), key=_kind)]
    elif how == "tight":
        groups = [sorted((_lying(*one, width) for one in sized), key=lambda one: -one[2])]
    placed: list[Placed] = []
    rows: list[_Row] = []
    top, sheet, widest = 0.0, 0, 0.0
    for group in groups:
        first = len(rows)
        for panel, w, h in group:
            if w > width and h <= width:
                panel, w, h = _turned(panel), h, w
            if height is not None and (w > width or h > height):
                if h <= width and w <= height:
                    panel, w, h = _turned(panel), h, w
                else:
                    raise Unfit(
                        f"{panel.name} measures {w:.0f} by {h:.0f} mm, and the machine's bed"
                        f" {width:g} by {height:g} mm: choose a smaller box, or a larger machine"
                    )
            open_rows = rows[first:] if how == "tight" else rows[max(first, len(rows) - 1) :]
            row = next((one for one in open_rows if one.right + w <= width + 1e-9 and h <= one.height + 1e-9), None)
            if row is None and how != "tight" and open_rows and open_rows[-1].right + w <= width + 1e-9:
                last = open_rows[-1]
                if height is None or last.y + h <= height + 1e-9:
                    last.height = max(last.height, h)
                    top = last.y + last.height + BETWEEN_MM
                    row = last
            if row is None:
                if height is not None and top + h > height + 1e-9:
                    sheet, top = sheet + 1, 0.0
                row = _Row(top, h, 0.0, sheet)
                rows.append(row)
                top += h + BETWEEN_MM
            placed.append(Placed(_at(panel, row.right, row.y), row.sheet))
            widest = max(widest, row.right + w)
            row.right += w + BETWEEN_MM
    tall = max((row.y + row.height for row in rows), default=0.0) if height is None else height
    return Laid(placed, width if height is not None else max(widest, 1.0), max(tall, 1.0), sheet + 1)


def covered(panels: Sequence[Panel]) -> float:
    """Square mm of the rectangles round them."""
    return sum((w + BETWEEN_MM) * (h + BETWEEN_MM) for w, h in map(_size, panels))


def _kind(one: tuple[Panel, float, float]) -> str:
    return NUMBER.sub("", one[0].name)


def _size(panel: Panel) -> tuple[float, float]:
    left, low, right, top = bounds(panel.outline)
    return right - left, top - low


def _lying(panel: Panel, w: float, h: float, width: float) -> tuple[Panel, float, float]:
    if h > w and h <= width:
        return _turned(panel), h, w
    return panel, w, h


def _turned(panel: Panel) -> Panel:
    """By a right angle."""
    return _changed(panel, lambda contour: [(-y, x) for x, y in contour])


def _at(panel: Panel, x: float, y: float) -> Panel:
    left, low, _, _ = bounds(panel.outline)
    dx, dy = x - left, y - low
    return _changed(panel, lambda contour: [(px + dx, py + dy) for px, py in contour])


def _changed(panel: Panel, how: Callable[[Contour], Contour]) -> Panel:
    return Panel(
        panel.name,
        how(panel.outline),
        *([how(line) for line in lines] for lines in (panel.holes, panel.cuts, panel.scores, panel.engraved)),
    )
