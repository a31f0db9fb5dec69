"""Writes material libraries as LightBurn reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from xml.sax.saxutils import quoteattr

from galvo_engraving.files.library import Cut, Library

TYPES = {"cut": "Cut", "score": "Cut", "engrave": "Scan"}
LAYERS = {"cut": 0, "score": 1, "engrave": 2}
"""LightBurn's palette: C00 is black, C01 blue, C02 red."""
NONE = "-1.0000"
NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, 2.2: Char."""
ANY = "Any thickness"
"""What LightBurn shows in its place: one title, since it takes several for groups."""


def write(library: Library) -> bytes:
    """UTF-8. Materials by name, as LightBurn itself saves them."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<LightBurnLibrary DisplayName={_quoted(library.name)}>"]
    for material, cuts in sorted(library.materials.items()):
        lines.append(f"    <Material name={_quoted(material)}>")
        for cut in cuts:
            lines += _entry(material, cut)
        lines.append("    </Material>")
    return "\n".join([*lines, "</LightBurnLibrary>", ""]).encode()


def _entry(material: str, cut: Cut) -> Iterable[str]:
    title = cut.title or cut.operation
    thickness = NONE if cut.thickness is None else f"{cut.thickness:.4f}"
    untitled = f" NoThickTitle={_quoted(ANY)}" if cut.thickness is None else ""
    path = "/".join((material, ANY if cut.thickness is None else thickness, title))
    yield f'        <Entry Thickness="{thickness}" Desc={_quoted(title)}{untitled}>'
    yield f'            <CutSetting type="{TYPES[cut.operation]}">'
    for name, value in _values(cut, path).items():
        yield f"                <{name} Value={_quoted(value)}/>"
    yield "            </CutSetting>"
    yield "        </Entry>"


def _values(cut: Cut, path: str) -> Mapping[str, str]:
    layer, power = LAYERS[cut.operation], _text(cut.power)
    found = {
        "index": str(layer),
        "name": f"C{layer:02}",
        "LinkPath": path,
        "minPower": power,
        "maxPower": power,
        "speed": _text(cut.speed),
        "numPasses": str(cut.passes),
    }
    if cut.air is not None:
        found["runBlower"] = str(int(cut.air))
    if cut.kerf is not None:
        found["kerf"] = _text(cut.kerf / 2)
    if cut.interval is not None:
        found["interval"] = _text(cut.interval)
    return found | {"priority": str(layer)}


def _quoted(text: str) -> str:
    """What XML cannot hold, and older versions of the shop let into names, as U+FFFD."""
    return quoteattr(NO_XML.sub("\ufffd", text))


def _text(value: float) -> str:
    """0.07000000029802322, which is what a `real` gives, as 0.07; never with an exponent."""
    return format(Decimal(format(value, ".6g")), "f")
