"""Plane geometry in mm: points, y upwards, contours counter-clockwise and not repeating their first point."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

Point = tuple[float, float]
Contour = list[Point]
CHORD_MM = 0.05
"""How far a chord may be from its arc: less than a beam is wide."""
SAME_MM = 1e-7


def steps(radius: float, angle: float) -> int:
    """Chords for an arc of `angle` radians."""
    if radius <= CHORD_MM:
        return 4
    return max(2, min(96, math.ceil(abs(angle) / (2 * math.acos(1 - CHORD_MM / radius)))))


def arc(centre: Point, radius: float, start: float, angle: float) -> Contour:
    """Both ends included; radians."""
    count = steps(radius, angle)
    return [
        (
            centre[0] + radius * math.cos(start + angle * i / count),
            centre[1] + radius * math.sin(start + angle * i / count),
        )
        for i in range(count + 1)
    ]


def circle(centre: Point, diameter: float) -> Contour:
    return arc(centre, diameter / 2, 0, math.tau)[:-1]


def regular(centre: Point, radius: float, sides: int, turned: float = 0) -> Contour:
    """A polygon by its outer radius."""
    return [
        (
            centre[0] + radius * math.cos(turned + math.tau * i / sides),
            centre[1] + radius * math.sin(turned + math.tau * i / sides),
        )
        for i in range(sides)
    ]


def rectangle(x: float, y: float, width: float, height: float) -> Contour:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def rounded(x: float, y: float, width: float, height: float, radius: float) -> Contour:
    """A rectangle with round corners; `radius` is made as small as it must be."""
    radius = min(radius, width / 2, height / 2)
    if radius <= CHORD_MM:
        return rectangle(x, y, width, height)
    found: Contour = []
    for number, (cx, cy) in enumerate(rectangle(x + radius, y + radius, width - 2 * radius, height - 2 * radius)):
        found += arc((cx, cy), radius, math.pi * (1 + number / 2), math.pi / 2)
    return clean(found)


def half_moon(x: float, y: float, width: float, depth: float) -> Contour:
    """Half of an ellipse, below its straight edge, whose left end is given."""
    count = steps(width / 2, math.pi)
    turns = [math.pi * i / count for i in range(count + 1)]
    return [(x + width / 2 - width / 2 * math.cos(turn), y - depth * math.sin(turn)) for turn in turns]


def turned(contour: Iterable[Point], angle: float, about: Point = (0, 0)) -> Contour:
    """By radians, counter-clockwise."""
    cosine, sine = math.cos(angle), math.sin(angle)
    x0, y0 = about
    return [(x0 + (x - x0) * cosine - (y - y0) * sine, y0 + (x - x0) * sine + (y - y0) * cosine) for x, y in contour]


def moved(contour: Iterable[Point], dx: float, dy: float) -> Contour:
    return [(x + dx, y + dy) for x, y in contour]


def area(contour: Sequence[Point]) -> float:
    """In square mm, positive when counter-clockwise (the shoelace formula)."""
    found = 0.0
    x0, y0 = contour[-1]
    for x, y in contour:
        found += x0 * y - x * y0
        x0, y0 = x, y
    return found / 2


def inside(contour: Sequence[Point], point: Point) -> bool:
    """By the even-odd rule."""
    x, y = point
    found = False
    ax, ay = contour[-1]
    for bx, by in contour:
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            found = not found
        ax, ay = bx, by
    return found


def bounds(points: Iterable[Point]) -> tuple[float, float, float, float]:
    """Left, bottom, right, top."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def clean(contour: Iterable[Point]) -> Contour:
    """Without points that are where the last one is, or on the straight line between their neighbours."""
    apart: Contour = []
    for point in contour:
        if not apart or math.dist(point, apart[-1]) > SAME_MM:
            apart.append(point)
    while len(apart) > 1 and math.dist(apart[0], apart[-1]) <= SAME_MM:
        apart.pop()
    return [point for i, point in enumerate(apart) if not _straight(apart[i - 1], point, apart[(i + 1) % len(apart)])]


def _straight(before: Point, point: Point, after: Point) -> bool:
    ax, ay = point[0] - before[0], point[1] - before[1]
    bx, by = after[0] - point[0], after[1] - point[1]
    return abs(ax * by - ay * bx) <= SAME_MM * (math.hypot(ax, ay) + math.hypot(bx, by)) and ax * bx + ay * by > 0
