"""One piece of sheet: its contour, what is cut out of it, what is drawn on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from galvo_engraving.boxes.shapes import Contour, clean
from galvo_engraving.problems import Unfit

POINTS = 40_000
"""Of one drawing at most: a few hundred kilobytes of SVG, and a fraction of a second."""
PANELS = 600


class TooFine(Unfit):
    """A drawing of more points than it may have."""


@dataclass(slots=True)
class Panel:
    """In mm. Nominal (what it measures when it is cut) until `kerf.compensated`."""

    name: str
    outline: Contour
    holes: list[Contour] = field(default_factory=list)
    cuts: list[Contour] = field(default_factory=list)
    """Open lines that are cut: slits."""
    scores: list[Contour] = field(default_factory=list)
    engraved: list[Contour] = field(default_factory=list)

    def points(self) -> int:
        return len(self.outline) + sum(len(line) for line in (*self.holes, *self.cuts, *self.scores, *self.engraved))


class Sketch:
    """The panels of one drawing, never more than a browser and a machine can use."""

    def __init__(self, points: int = POINTS) -> None:
        self.panels: list[Panel] = []
        self._most = self._left = points

    def add(self, name: str, outline: Iterable[tuple[float, float]], holes: Iterable[Contour] = ()) -> Panel:
        made = Panel(name, clean(outline), list(holes))
        if len(self.panels) == PANELS:
            raise Unfit(f"this would be more than {PANELS} parts: choose fewer of them")
        self.spend(made.points(), "finger")
        self.panels.append(made)
        return made

    def spend(self, points: int, name: str) -> None:
        """Said before they are made. Raises TooFine, with the `name` of the parameter that makes them so many."""
        self._left -= points
        if self._left < 0:
            raise TooFine(
                f"{name}: with this value the drawing would have more than {self._most} points: choose another one"
            )
