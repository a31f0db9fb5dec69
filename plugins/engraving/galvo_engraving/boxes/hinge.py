"""A hinge of the sheet itself: eyes by turns on both panels, with a pin through all."""

from __future__ import annotations

import math

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.panel import Panel, Sketch
from galvo_engraving.boxes.shapes import arc, circle, rectangle
from galvo_engraving.problems import Unfit


def knuckles(
    sketch: Sketch, asked: Asked, lower: Panel, height: float, upper: Panel, lid: float, width: float, over: float = 0
) -> None:
    """The eyes of a hinge, and the slots for their tabs near the rims of both panels.

    `over`: how far the lower one's upper edge is below the lid's rim, in mm.
    """
    t, pin, play = asked.thickness, asked.positive("hinge_pin", 3), asked.joint.play
    count = max(2, asked.count("hinge_knuckles", 5))
    tall = min(3 * pin, height / 2, lid / 2)
    if tall < 1 + 2 * abs(play):
        raise Unfit(f"lid_height: {lid:g} mm leave no room for a hinge")
    if width / count < t + max(play, 0) + 2:
        raise Unfit(f"hinge_knuckles: {count} eyes of {t:g} mm do not fit into {width:g} mm")
    head = pin / 2 + max(1.5, t / 2) + max(0.1, play) / 2
    for number in range(count):
        panel, rim = (lower, height) if number % 2 == 0 else (upper, lid)
        x, top = (number + 0.5) * width / count, rim - min(4.0, (rim - tall) / 4)
        panel.holes.append(rectangle(x - (t + play) / 2, top - tall - play / 2, t + play, tall + play))
        # Outside of the wall the eye goes on to the rim, where the pin is.
        centre = (t + head, tall + rim - top + (over if panel is lower else 0))
        low = min(0.0, centre[1] - head)
        eye = [
            (0.0, 0.0),
            (t, 0.0),
            (t, low),
            (t + 2 * head, low),
            *arc(centre, head, 0, math.pi),
            (t, tall),
            (0.0, tall),
        ]
        sketch.add(f"eye {number + 1}", eye, [circle(centre, pin + max(0.1, play))])
