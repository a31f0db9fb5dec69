"""Which family draws a template: the catalogue's by slug, others by what they ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.families import bent, drawers, layers, lidded, open, polygon, shelves, stands
from galvo_engraving.boxes.panel import Sketch

Family = Callable[[Sketch, Asked], None]
"""Adds panels. Raises Unfit with the parameter that does not go with the others."""

CATALOGUE: dict[str, Family] = {
    "finger-joint-box": open.closed,
    "open-box": open.tray,
    "bottle-crate": open.tray,
    "flat-tray": open.tray,
    "type-tray": open.tray,
    "divider-tray": open.tray,
    "seed-tray": open.tray,
    "desk-organiser": open.tray,
    "lantern": open.tray,
    "stacking-tray": open.stacking,
    "sloped-tray": open.sloped,
    "lift-off-lid-box": lidded.lifted,
    "card-deck-box": lidded.lifted,
    "hinged-lid-box": lidded.hinged,
    "watch-box": lidded.hinged,
    "tea-box": lidded.hinged,
    "sliding-lid-box": lidded.sliding,
    "hexagon-box": polygon.prism,
    "polygon-box": polygon.prism,
    "parts-drawer-wall": polygon.honeycomb,
    "living-hinge-box": bent.wrapped,
    "rounded-box": bent.rounded_walls,
    "glasses-case": bent.half_round,
    "matchbox": bent.matchbox,
    "pencil-case": bent.roll_top,
    "round-lampshade": bent.shade,
    "gift-box": bent.gift,
    "single-drawer": drawers.cabinet,
    "drawer-cabinet": drawers.cabinet,
    "jewellery-cabinet": drawers.cabinet,
    "card-index": drawers.cabinet,
    "circuit-case": layers.case,
    "picture-frame": layers.frame,
    "tool-block": layers.block,
    "layer-lamp": layers.lamp,
    "edge-lit-sign": layers.sign,
    "wall-shelf": shelves.shelf,
    "spice-rack": shelves.shelf,
    "paint-rack": shelves.steps,
    "dice-tower": shelves.tower,
    "bookend": stands.bookend,
    "phone-stand": stands.phone,
    "laptop-stand": stands.laptop,
    "plant-stand": stands.plant,
    "record-stand": stands.record,
    "key-rack": stands.rack,
}
SLOTTED = frozenset({open.tray, stands.phone, stands.laptop, stands.plant, layers.sign})
"""Their `slot_width` is that of slots for the sheet itself."""
BOX = {"width", "depth", "height"}
ASKS: tuple[tuple[set[str], Family], ...] = (
    ({"side", "sides", "height"}, polygon.prism),
    ({*BOX, "drawers", "drawer_gap"}, drawers.cabinet),
    ({*BOX, "slit_pitch", "corner_radius"}, bent.rounded_walls),
    ({*BOX, "slit_pitch"}, bent.wrapped),
    ({*BOX, "hinge_pin", "lid_height"}, lidded.hinged),
    ({*BOX, "lid_height"}, lidded.lifted),
    ({*BOX, "lid_gap"}, lidded.sliding),
    ({*BOX, "level_pitch"}, shelves.shelf),
    (BOX, open.tray),
)
"""The first one whose parameters a template has all."""
VARIANT = re.compile(r"-\d+$")


def family(slug: str, parameters: Iterable[str]) -> Family | None:
    """None: it cannot be drawn."""
    if found := CATALOGUE.get(slug) or CATALOGUE.get(VARIANT.sub("", slug)):
        return found
    names = set(parameters)
    return next((made for asks, made in ASKS if asks <= names), None)


def slotted(slug: str, parameters: Iterable[str]) -> bool:
    """Whether the slots of this template follow the sheet's thickness."""
    return family(slug, parameters) in SLOTTED


def drawable(slug: str, parameters: Iterable[str]) -> bool:
    """Whether a template has a preview: by its slug and the names of its parameters."""
    return family(slug, parameters) is not None
