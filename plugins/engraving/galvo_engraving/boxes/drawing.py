"""From a template and values to panels, ready to be laid on a sheet."""

from __future__ import annotations

from collections.abc import Mapping

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.dogbone import dogboned
from galvo_engraving.boxes.families import family
from galvo_engraving.boxes.fittings import label
from galvo_engraving.boxes.kerf import compensated
from galvo_engraving.boxes.panel import POINTS, Panel, Sketch
from galvo_engraving.boxes.shapes import Contour
from galvo_engraving.boxes.values import Value
from galvo_engraving.problems import Unfit

TEETH = 5


def draw(slug: str, values: Mapping[str, Value], title: str = "", *, points: int = POINTS) -> list[Panel]:
    """Compensated for the kerf, labelled if that was asked for; of `points` at most. Raises Unfit, TooFine."""
    asked = Asked(values, title)
    kerf = asked.length("kerf", 0)
    return [compensated(panel, kerf) for panel in nominal(slug, asked, points)]


def nominal(slug: str, asked: Asked, points: int = POINTS) -> list[Panel]:
    """As they measure when they are cut. Raises Unfit, TooFine."""
    made = family(slug, asked.names())
    if made is None:
        raise Unfit("this template cannot be drawn: it asks for nothing that a box has (width, depth, height)")
    sketch = Sketch(points)
    try:
        made(sketch, asked)
    except Unfit as problem:
        # Told by something that this template does not ask for, but that follows from the others.
        name = problem.sentence.partition(":")[0]
        if name.isidentifier() and name not in asked:
            raise type(problem)(f"these values do not fit together: {problem.sentence}") from None
        raise
    if asked.flag("burn_test"):
        _comb(sketch, asked)
    panels = sketch.panels
    if asked.flag("dogbone"):
        panels = [dogboned(panel) for panel in panels]
    if asked.flag("labels"):
        for number, panel in enumerate(panels):
            label(panel, letter(number))
    sketch.spend(sum(panel.points() for panel in panels) // 4, "finger")
    return panels


def letter(number: int) -> str:
    """A to Z, then AA and so on."""
    found = ""
    number += 1
    while number:
        number, last = divmod(number - 1, 26)
        found = chr(65 + last) + found
    return found


def _comb(sketch: Sketch, asked: Asked) -> None:
    """Slots round the sheet's thickness, each a tenth of a millimetre wider: the one that holds tells the play."""
    t = asked.thickness
    found: Contour = [(0.0, 0.0)]
    x = 0.0
    for tooth in range(TEETH):
        wide = max(0.3, t - 0.2 + 0.1 * tooth)
        x += 5
        found += [(x, 0.0), (x, 10.0), (x + wide, 10.0), (x + wide, 0.0)]
        x += wide
    sketch.add("burn test", [*found, (x + 5, 0.0), (x + 5, 16.0), (0.0, 16.0)])
