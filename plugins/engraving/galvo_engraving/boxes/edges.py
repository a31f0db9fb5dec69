"""Edges of panels: straight, or with the fingers of a joint, or with notches; and the outline that they make together.

A side is a polyline of (along, outwards) from one corner of the panel to the next, in mm, level 0 being the panel's
inside measure. Where two sides with levels meet, the corner is where their lines do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from galvo_engraving.boxes.shapes import Contour, Point, clean, steps
from galvo_engraving.problems import Unfit

Side = list[Point]
Span = tuple[float, float]
LEAST_MM = 0.05
"""Anything thinner is burnt away."""
LEAST_MARGIN_MM = 1.5


@dataclass(frozen=True, slots=True)
class Joint:
    """How sheets are put together; lengths in mm."""

    thickness: float
    finger: float = 10
    space: float = 1
    """Width of a gap as a share of a finger."""
    margin: float = 0
    play: float = 0


def comb(length: float, joint: Joint) -> list[Span]:
    """Where the fingers of an edge are: as many as there is room for, in its middle, at least one."""
    # Never fingers up to the corner, which would be left to nobody.
    margin = min(max(joint.margin, min(joint.thickness, LEAST_MARGIN_MM)), length / 3)
    room = length - 2 * margin
    count = max(1, int((room + joint.finger * joint.space + 1e-9) / (joint.finger * (1 + joint.space))))
    finger = joint.finger if count > 1 else min(joint.finger, room, length / 2)
    pitch = joint.finger * (1 + joint.space)
    if count > 1 and joint.finger * joint.space - joint.play < LEAST_MM:
        raise Unfit("play: it leaves nothing between two fingers: choose less play, or wider fingers")
    if finger + joint.play < LEAST_MM:
        raise Unfit("play: it leaves no room for a finger: choose more play, or wider fingers")
    first = max(0.0, (length - (count - 1) * pitch - finger) / 2)
    return [(first + i * pitch, min(length, first + i * pitch + finger)) for i in range(count)]


def tongues(length: float, joint: Joint) -> list[Span]:
    """Fingers of an edge that meets the middle of a panel: their slots stay away from its edges."""
    return comb(length, replace(joint, margin=max(joint.margin, joint.thickness, 4.0)))


def flat(length: float, level: float = 0) -> Side:
    return [(0, level), (length, level)]


def male(length: float, fingers: Sequence[Span], out: float, back: float = 0) -> Side:
    """Fingers that reach `out`; between them the edge stands `back`."""
    return _stepped(length, fingers, out, -back)


def female(length: float, fingers: Sequence[Span], out: float, back: float = 0, play: float = 0) -> Side:
    """What the fingers go into: gaps wider by `play`, the rest reaches `out`."""
    return _stepped(length, [(a - play / 2, b + play / 2) for a, b in fingers], -back, out)


def mirrored(fingers: Sequence[Span], length: float) -> list[Span]:
    """The same fingers, seen from the other end."""
    return [(length - b, length - a) for a, b in reversed(fingers)]


def notched(length: float, spans: Sequence[Span], depth: float, level: float = 0) -> Side:
    """Slots that are open at this edge."""
    return _stepped(length, spans, level - depth, level)


def even(length: float, count: int, width: float, name: str) -> list[Span]:
    """`count` openings of the same width, evenly. Raises Unfit when they do not leave anything between them."""
    pitch = length / count
    if pitch - width < 1:
        raise Unfit(f"{name}: {count} openings of {width:g} mm do not fit into {length:g} mm")
    return [((i + 0.5) * pitch - width / 2, (i + 0.5) * pitch + width / 2) for i in range(count)]


def scooped(length: float, diameter: float, depth: float, name: str) -> Side:
    """With a half round (or flatter: `depth` at most) in its middle."""
    if diameter <= 0:
        return flat(length)
    if diameter > length - 2:
        raise Unfit(f"{name}: {diameter:g} mm do not fit into an edge of {length:g} mm")
    across, deep = diameter / 2, min(diameter / 2, depth)
    count = steps(across, math.pi)
    turns = [math.pi * i / count for i in range(count + 1)]
    return [
        (0, 0),
        *((length / 2 - across * math.cos(turn), -deep * math.sin(turn)) for turn in turns),
        (length, 0),
    ]


def outline(corners: Sequence[Point], sides: Sequence[Side]) -> Contour:
    """Of a panel whose inside measure is the polygon of `corners`, counter-clockwise."""
    count = len(corners)
    along = []
    for i, (x, y) in enumerate(corners):
        to = corners[(i + 1) % count]
        length = math.dist((x, y), to)
        along.append(((to[0] - x) / length, (to[1] - y) / length))
    found: Contour = []
    for i, corner in enumerate(corners):
        (x, y), (dx, dy), side = corner, along[i], sides[i]
        found.append(_meet(corner, along[i - 1], sides[i - 1][-1][1], along[i], side[0][1]))
        found += [(x + dx * u + dy * v, y + dy * u - dx * v) for u, v in side[1:-1]]
    return clean(found)


def box(width: float, height: float, sides: Sequence[Side]) -> Contour:
    """Of a rectangular panel: sides at the bottom, right, top, left."""
    return outline([(0, 0), (width, 0), (width, height), (0, height)], sides)


def _meet(corner: Point, before: Point, level: float, after: Point, next_level: float) -> Point:
    (ax, ay), (bx, by) = before, after
    cross = ax * by - ay * bx
    return corner[0] + (next_level * ax - level * bx) / cross, corner[1] + (next_level * ay - level * by) / cross


def _stepped(length: float, spans: Sequence[Span], inside: float, outside: float) -> Side:
    found: Side = []
    at = outside
    for a, b in spans:
        a, b = max(0.0, a), min(length, b)
        if a <= LEAST_MM:  # a sliver would be left, or nothing
            found, at = [(0, inside)], inside
        else:
            found += [(a, at), (a, inside)]
        at = inside
        if b < length - LEAST_MM:
            found += [(b, inside), (b, outside)]
            at = outside
    if not found or found[0][0] > 0:
        found.insert(0, (0, outside))
    return [*found, (length, at)]
