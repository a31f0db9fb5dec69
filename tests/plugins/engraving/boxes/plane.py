"""What must hold for contours that a laser cuts, checked the slow and plain way."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from galvo_engraving.boxes.panel import Panel
from galvo_engraving.boxes.shapes import Contour, Point, bounds

Segment = tuple[Point, Point]
CELLS = 64


def edges(contour: Sequence[Point]) -> Iterator[Segment]:
    return zip(contour, [*contour[1:], contour[0]], strict=True)


def crossings(contours: Iterable[Contour]) -> list[tuple[Segment, Segment]]:
    """Pairs of edges that touch, of one contour (neighbours excepted) or of two."""
    segments = [(c, i, len(contour), s) for c, contour in enumerate(contours) for i, s in enumerate(edges(contour))]
    if not segments:
        return []
    left, low, right, top = bounds(point for *_, segment in segments for point in segment)
    size = max(right - left, top - low, 1e-9) / CELLS
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, (*_, segment) in enumerate(segments):
        a, b, c, d = bounds(segment)
        for x in range(int((a - left) / size), int((c - left) / size) + 1):
            for y in range(int((b - low) / size), int((d - low) / size) + 1):
                cells[x, y].append(number)
    found = []
    seen = set()
    for members in cells.values():
        for position, first in enumerate(members):
            for second in members[position + 1 :]:
                if (first, second) in seen:
                    continue
                seen.add((first, second))
                (c1, i1, count, one), (c2, i2, _, other) = segments[first], segments[second]
                if c1 == c2 and abs(i1 - i2) in (0, 1, count - 1):
                    continue
                if touch(one, other):
                    found.append((one, other))
    return found


def touch(one: Segment, other: Segment) -> bool:
    a, b, c, d = _side(one, other[0]), _side(one, other[1]), _side(other, one[0]), _side(other, one[1])
    if a * b < 0 and c * d < 0:
        return True
    return any(_on(one, point) for point in other) or any(_on(other, point) for point in one)


def _side(segment: Segment, point: Point) -> float:
    (ax, ay), (bx, by) = segment
    return (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)


def _on(segment: Segment, point: Point) -> bool:
    a, b = segment
    return math.dist(a, point) + math.dist(point, b) - math.dist(a, b) < 1e-9


def inside(contour: Sequence[Point], point: Point) -> bool:
    """By the even-odd rule."""
    x, y = point
    found = False
    for (ax, ay), (bx, by) in edges(contour):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            found = not found
    return found


def whole(panel: Panel) -> None:
    """It can be cut: contours that neither cross themselves nor one another, holes within the outline."""
    for line in (panel.outline, *panel.holes, *panel.cuts, *panel.scores, *panel.engraved):
        assert all(math.isfinite(x) and math.isfinite(y) for x, y in line), panel.name
    for contour in (panel.outline, *panel.holes):
        assert len(contour) >= 3, panel.name
    assert not crossings([panel.outline, *panel.holes]), panel.name
    for hole in panel.holes:
        assert inside(panel.outline, hole[0]), panel.name
    for number, hole in enumerate(panel.holes):
        for other in panel.holes[:number]:
            assert not inside(other, hole[0]), panel.name
            assert not inside(hole, other[0]), panel.name
    left, low, right, top = bounds(panel.outline)
    for line in panel.cuts:
        assert all(left - 1e-6 <= x <= right + 1e-6 and low - 1e-6 <= y <= top + 1e-6 for x, y in line), panel.name
