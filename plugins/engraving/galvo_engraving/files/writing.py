"""Writes material libraries as LightBurn reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from xml.sax.saxutils import quoteattr

from galvo_engraving.files.library import Cut, Library

TYPES = {"cut": "Cut", "score": "Cut", "engrave": "Scan"}
LAYERS = {"cut": 0, "score": 1, "engrave": 2}
"""LightBurn's palette: C00 is black, C01 blue, C02 red."""
NONE = "-1.0000"
ANY = "Any thickness"
"""What LightBurn shows in its place: one title, since it takes several for groups."""


def write(library: Library) -> bytes:
    """UTF-8. Materials by name, as LightBurn itself saves them."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<LightBurnLibrary DisplayName={quoteattr(library.name)}>"]
    for material, cuts in sorted(library.materials.items()):
        lines.append(f"    <Material name={quoteattr(material)}>")
        for cut in cuts:
            lines += _entry(material, cut)
        lines.append("    </Material>")
    return "\n".join([*lines, "</LightBurnLibrary>", ""]).encode()


def _entry(material: str, cut: Cut) -> Iterable[str]:
    title = cut.title or cut.operation
    thickness = NONE if cut.thickness is None else f"{cut.thickness:.4f}"
    untitled = f" NoThickTitle={quoteattr(ANY)}" if cut.thickness is None else ""
    path = "/".join((material, ANY if cut.thickness is None else thickness, title))
    yield f'        <Entry Thickness="{thickness}" Desc={quoteattr(title)}{untitled}>'
    yield f'            <CutSetting type="{TYPES[cut.operation]}">'
    for name, value in _values(cut, path).items():
        yield f"                <{name} Value={quoteattr(value)}/>"
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


def _text(value: float) -> str:
    """0.07000000029802322, which is what a `real` gives, as 0.07; never with an exponent."""
    return format(Decimal(format(value, ".6g")), "f")
