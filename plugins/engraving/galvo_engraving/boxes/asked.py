"""The values that a family of boxes reads, with what it takes where its template has no such parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from galvo_engraving.boxes.edges import Joint
from galvo_engraving.boxes.values import Value
from galvo_engraving.problems import Unfit

LARGEST_MM = 3000.0
MOST = 1000


class Asked:
    """Bounded whatever the template allows: importers and staff may have written anything."""

    def __init__(self, values: Mapping[str, Value], title: str = "") -> None:
        self._values = values
        self.title = title
        """What is engraved where text is asked for."""
        self.thickness = self.positive("thickness", 3)
        self.joint = Joint(
            self.thickness,
            self.positive("finger", max(8.0, 3 * self.thickness)),
            max(0.1, self.number("finger_space", 1)),
            self.length("edge_margin", min(3.0, self.thickness)),
            self.number("play", 0.1),
        )

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> Iterable[str]:
        return self._values.keys()

    def number(self, name: str, otherwise: float) -> float:
        value = self._values.get(name, otherwise)
        if not isinstance(value, float | int) or not abs(value) <= LARGEST_MM:
            raise Unfit(f"{name}: nothing is drawn that is larger than {LARGEST_MM:g} mm")
        return float(value)

    def length(self, name: str, otherwise: float = 0) -> float:
        """From 0."""
        value = self.number(name, otherwise)
        if value < 0:
            raise Unfit(f"{name}: this must not be negative")
        return value

    def positive(self, name: str, otherwise: float) -> float:
        value = self.number(name, otherwise)
        if value < 0.1:
            raise Unfit(f"{name}: this must be 0.1 at least")
        return value

    def slot(self) -> float:
        """Width of slots that the sheet itself goes into: by its thickness, unless another one was asked for."""
        usual = self.thickness + self.joint.play
        width = self.positive("slot_width", usual)
        if width < min(usual, self.thickness) - 1e-6:
            raise Unfit(f"slot_width: a sheet of {self.thickness:g} mm does not go into a slot of {width:g} mm")
        return width

    def count(self, name: str, otherwise: int = 0) -> int:
        value = self.number(name, otherwise)
        if not 0 <= value <= MOST:
            raise Unfit(f"{name}: this must be from 0 to {MOST}")
        return int(value)

    def flag(self, name: str) -> bool:
        return self._values.get(name) is True

    def choice(self, name: str, otherwise: str) -> str:
        return str(self._values.get(name, otherwise))
