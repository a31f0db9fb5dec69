"""A library of laser settings, as the shop understands it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

MATERIALS = 2_000
ENTRIES = 10_000
"""Of one file, at most."""
HUNDREDTH = Decimal("0.01")
"""What thicknesses are told apart by, in mm."""


class BadFile(Exception):
    """The file cannot be what it is said to be. One sentence: where, and what about it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How one operation is done: mm, mm/s and per cent of full power."""

    thickness: Decimal | None
    """None: whatever the thickness is."""
    operation: str
    speed: float
    power: float
    passes: int
    interval: float | None
    kerf: float | None
    """Width of what the beam takes away."""
    air: bool | None
    """None, as for the two above: the file says nothing of it."""
    title: str
    """What the file calls it."""

    @property
    def pair(self) -> tuple[Decimal | None, str]:
        """The shop keeps one setting for each."""
        return self.thickness, self.operation


@dataclass(frozen=True, slots=True)
class Unused:
    """An entry that is as LightBurn writes it, but is no setting for the shop."""

    material: str
    thickness: Decimal | None
    kind: str
    """Its type in the file."""
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Library:
    name: str
    materials: dict[str, list[Cut]]
    """By name, both in the file's order."""
    unused: list[Unused] = field(default_factory=list)
