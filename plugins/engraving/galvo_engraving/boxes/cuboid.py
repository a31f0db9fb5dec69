"""A box of up to six panels, whose edges belong to one another.

Who owns what of the corners: the front and back stand in front of the sides, all four go down past the floor. Where
an edge is a comb, its fingers are the floor's, or the sides' at the front and back; what is left is the other
panel's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from galvo_engraving.boxes.edges import Joint, Side, box, comb, female, flat, male, mirrored
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import rounded

RIM_MM = 12.0
"""Of a floor that is a frame."""


@dataclass(slots=True)
class Cuboid:
    """Inside measures in mm."""

    width: float
    depth: float
    height: float
    front_height: float | None = None
    """Where the front is lower."""
    floor: str = "closed"
    """closed, frame or open."""
    top: bool = False
    """Closed as the floor is."""
    tops: Mapping[str, Side] = field(default_factory=dict)
    """What the upper edges of walls look like, by wall; plain otherwise."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the panels are called; by themselves front, back, left, right, floor, top."""
    prefix: str = ""

    def panels(self, sketch: Sketch, joint: Joint) -> dict[str, Panel]:
        """By their own names, the origin of each in the inside corner at its left and bottom."""
        w, d, h, t = self.width, self.depth, self.height, joint.thickness
        front = h if self.front_height is None else self.front_height
        upright = comb(front, joint), comb(h, joint)
        made: dict[str, Panel] = {}
        for name, tall, fingers in (("front", front, upright[0]), ("back", h, upright[1])):
            side = female(tall, fingers, t, play=joint.play)
            other = female(tall, mirrored(fingers, tall), t, play=joint.play)
            made[name] = self._add(
                sketch, name, box(w, tall, [self._low(w, joint), side, self._high(name, w, joint), other])
            )
        # The left one is seen from inside with the front to its right, the right one with the front to its left.
        for name in ("left", "right"):
            ahead, behind = male(h, upright[0], t), male(h, upright[1], t)
            sides = [behind, mirror(ahead, h)] if name == "right" else [ahead, mirror(behind, h)]
            made[name] = self._add(
                sketch, name, box(d, h, [self._low(d, joint), sides[0], self._high(name, d, joint), sides[1]])
            )
        ends = [male(w, comb(w, joint), t), male(d, comb(d, joint), t)] * 2
        if self.floor != "open":
            made["floor"] = self._add(sketch, "floor", box(w, d, ends))
            rim = min(RIM_MM, w / 4, d / 4)
            if self.floor == "frame":
                made["floor"].holes.append(rounded(rim, rim, w - 2 * rim, d - 2 * rim, rim / 2))
        if self.top:
            made["top"] = self._add(sketch, "top", box(w, d, ends))
        return made

    def _low(self, length: float, joint: Joint) -> Side:
        return flat(length) if self.floor == "open" else _receiving(length, joint)

    def _high(self, name: str, length: float, joint: Joint) -> Side:
        if name in self.tops:
            return self.tops[name]
        return _receiving(length, joint) if self.top else flat(length)

    def _add(self, sketch: Sketch, name: str, outline: list[tuple[float, float]]) -> Panel:
        return sketch.add(self.prefix + self.names.get(name, name), outline)


def mirror(side: Side, length: float) -> Side:
    """The same edge, seen from its other end."""
    return [(length - u, v) for u, v in reversed(side)]


def _receiving(length: float, joint: Joint) -> Side:
    return female(length, comb(length, joint), joint.thickness, play=joint.play)
