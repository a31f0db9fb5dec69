"""Reads LightBurn's material libraries (`.clb`), which have no published schema: what is here was seen in real ones.

    LightBurnLibrary DisplayName > Material name > Entry Thickness Desc NoThickTitle > CutSetting type
        > speed, maxPower, minPower, numPasses, interval, kerf, runBlower, dpi ... each with a Value

LightBurn leaves out what has its default. Other elements are for machines that the shop does not have, or about the
look on the screen (frequency, tabCount, JumpSpeed ...), and are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import TYPE_CHECKING

from galvo_engraving.fields import THICKEST
from galvo_engraving.files.library import ENTRIES, HUNDREDTH, MATERIALS, BadFile, Cut, Library, Unused
from galvo_engraving.files.titles import of_a_line
from galvo_engraving.files.xml import TEXT, elements, text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

OPERATIONS = {"Cut": "cut", "Scan": "engrave", "Scan+Cut": "engrave", "Offset": "engrave", "Image": "engrave"}
"""By CutSetting's type: Line, Fill, Fill+Line, Offset Fill and Image on LightBurn's screen."""
MM_PER_INCH = 25.4
FASTEST = 100_000.0
"""mm/s; a galvo's mirrors do 20,000."""
MOST_PASSES = 32_767
DIGITS = 4
"""After the point; what is less than that is nothing, to a laser as to a column."""
WIDEST = 10.0
"""mm of an interval or a kerf."""


@dataclass(frozen=True, slots=True)
class _Entry:
    group: str
    """What LightBurn shows in the place of a thickness."""
    cuts: list[Cut]
    unused: list[Unused]


def read(contents: bytes) -> Library:
    """All of it, or BadFile says where it is wrong."""
    name, entries, number = "", 0, 0
    materials: dict[str, list[Cut]] = {}
    unused: list[Unused] = []
    known: set[str] = set()
    root: Element | None = None
    for event, element in elements(contents):
        if event == "start" and root is None:
            root = element
            if element.tag != "LightBurnLibrary":
                raise BadFile(f"this is no library of LightBurn's: it begins with <{element.tag[:40]}>")
            name = text(element, "DisplayName")
        elif event == "end" and element.tag == "Material":
            number += 1
            found, others = _material(element, number)
            unused += others
            entries += sum(map(len, found.values())) + len(others)
            for material, cuts in found.items():
                if material.casefold() in known:
                    raise BadFile(f"material {material!r} is there twice: put the entries of both together")
                materials[material] = cuts
                known.add(material.casefold())
            if entries > ENTRIES or len(materials) > MATERIALS:
                raise BadFile(f"more than {MATERIALS} materials or {ENTRIES} entries: divide the library")
            element.clear()
    if not number:
        raise BadFile("there is no material in it")
    return Library(name, materials, unused)


def _material(element: Element, number: int) -> tuple[dict[str, list[Cut]], list[Unused]]:
    """Where one has several groups of entries without a thickness, as "Slate" has, each group is a material."""
    name = text(element, "name")
    if not name:
        raise BadFile(f"material {number} has no name")
    entries = [_entry(entry, name, place) for place, entry in enumerate(element.findall("Entry"), 1)]
    grouped = len({entry.group for entry in entries} - {""}) > 1
    materials: dict[str, list[Cut]] = {} if entries else {name: []}
    for entry in entries:
        if entry.cuts:
            its = _grouped(name, entry.group) if grouped and entry.group else name
            materials.setdefault(its, []).extend(entry.cuts)
    return materials, [one for entry in entries for one in entry.unused]


def _grouped(name: str, group: str) -> str:
    its = f"{name}, {group}"
    if len(its) > TEXT:
        raise BadFile(f"material {name!r}: with {group!r} its name has more than {TEXT} characters")
    return its


def _entry(element: Element, material: str, number: int) -> _Entry:
    given, description, untitled = (text(element, key) for key in ("Thickness", "Desc", "NoThickTitle"))
    title = description or untitled
    place = f"material {material!r}, entry {number}" + (f" ({title!r})" if title else "")
    thickness = _thickness(given, untitled, place)
    settings = element.findall("CutSetting")
    if not settings:
        raise BadFile(f"{place}: it has no CutSetting")
    entry = _Entry(untitled if thickness is None else "", [], [])
    for one in settings:
        found = _cut(one, thickness, title, place)
        if isinstance(found, Cut):
            entry.cuts.append(found)
        else:
            entry.unused.append(Unused(material, thickness, text(one, "type"), title, f"entry {number}: {found}"))
    return entry


def _thickness(given: str, untitled: str, place: str) -> Decimal | None:
    """`-1.0000` is LightBurn's word for none; 0 has the same meaning in real libraries."""
    if not given and untitled:
        return None
    if not given:
        raise BadFile(f"{place}: Thickness is missing; -1 means none")
    value = _number(given, f"{place}: Thickness", "mm")
    if value in (-1, 0):
        return None
    rounded = value.quantize(HUNDREDTH) if abs(value) <= THICKEST else value
    if not 0 < rounded <= THICKEST:
        raise BadFile(f"{place}: Thickness {given!r} is not from 0.01 to {THICKEST} mm; -1 means none")
    return rounded


def _cut(element: Element, thickness: Decimal | None, title: str, place: str) -> Cut | str:
    """Or why it is of no use."""
    kind = text(element, "type")
    operation = OPERATIONS.get(kind)
    if operation is None:
        return f"CutSetting type {kind!r} does not burn, or is not known here: only {', '.join(OPERATIONS)} are"
    if operation == "cut":
        operation = of_a_line(title)
    values = {child.tag: text(child, "Value") for child in element}
    if "maxPower" in values and _number(values["maxPower"], f"{place}: maxPower", "per cent") == 0:
        return "with maxPower 0 nothing burns"
    return Cut(
        thickness=thickness,
        operation=operation,
        speed=_bounded(values, "speed", place, "mm/s", FASTEST),
        power=_bounded(values, "maxPower", place, "per cent", 100),
        passes=_passes(values, place),
        interval=_interval(values, place) if operation == "engrave" else None,
        kerf=_kerf(values, place) if operation == "cut" else None,
        air=_flag(values, "runBlower", place),
        title=title,
    )


def _passes(values: dict[str, str], place: str) -> int:
    """Real libraries have 0 as well, for one."""
    told = values.get("numPasses", "1")
    value = _number(told, f"{place}: numPasses", "")
    if value != value.to_integral_value() or not 0 <= value <= MOST_PASSES:
        raise BadFile(f"{place}: numPasses {told!r} is no whole number up to {MOST_PASSES}")
    return max(1, int(value))


def _interval(values: dict[str, str], place: str) -> float | None:
    if "interval" in values:
        return _bounded(values, "interval", place, "mm", WIDEST)
    if "dpi" in values:
        found = round(MM_PER_INCH / _bounded(values, "dpi", place, "dots per inch", 100_000), DIGITS)
        if found > WIDEST:
            raise BadFile(f"{place}: dpi {values['dpi']!r} leaves more than {WIDEST:g} mm between two lines")
        return found
    return None


def _kerf(values: dict[str, str], place: str) -> float | None:
    """LightBurn moves a line by its value to one side (inwards when negative): half of the width of the cut."""
    if "kerf" not in values:
        return None
    offset = _number(values["kerf"], f"{place}: kerf", "mm")
    if abs(offset) > WIDEST / 2:
        raise BadFile(f"{place}: kerf {values['kerf']!r} is wider than any beam")
    return round(float(abs(offset)) * 2, DIGITS) or None


def _flag(values: dict[str, str], name: str, place: str) -> bool | None:
    told = values.get(name)
    if told is None:
        return None
    if told not in ("0", "1"):
        raise BadFile(f"{place}: {name} {told!r} is neither 0 nor 1")
    return told == "1"


def _bounded(values: dict[str, str], name: str, place: str, unit: str, most: float) -> float:
    if name not in values:
        raise BadFile(f"{place}: {name} is missing")
    value = float(_number(values[name], f"{place}: {name}", unit))
    if not 0.0001 <= value <= most:
        raise BadFile(f"{place}: {name} {values[name]!r} is not more than 0 and at most {most:g} {unit}")
    return value


def _number(told: str, place: str, unit: str) -> Decimal:
    """A plain number, in the one unit that LightBurn's files have."""
    try:
        value = Decimal(told) if told.isascii() and "_" not in told else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or not isfinite(float(value)):
        inside = f", in {unit} and without saying so" if unit else ""
        raise BadFile(f"{place} {told!r} is no number: it is written like 12.5{inside}")
    return value
