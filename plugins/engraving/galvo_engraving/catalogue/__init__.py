"""The shop's own data: what can be engraved, how, and which boxes can be made of it.

The TOML files beside this module are the source; here they become rows with every default filled in.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

OPERATIONS = ("cut", "score", "engrave")
SECTIONS = ("size", "joint", "form", "extra")
UNITS = {"length": "mm", "angle": "deg"}


@dataclass(frozen=True, slots=True)
class Setting:
    """How the laser does one operation on one thickness: mm, mm/s and per cent of full power."""

    thickness: Decimal
    operation: str
    speed: float
    power: float
    passes: int
    interval: float | None
    kerf: float | None
    air: bool


@dataclass(frozen=True, slots=True)
class Material:
    slug: str
    name: str
    family: str
    density: float
    """g/cm3"""
    note: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One question that a template asks. `default` is text, whatever the kind: "9", "true", "rows"."""

    section: str
    name: str
    kind: str
    unit: str
    default: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Template:
    slug: str
    name: str
    group: str
    difficulty: int
    minutes: int
    summary: str
    parameters: tuple[Parameter, ...]


@cache
def materials() -> tuple[Material, ...]:
    """All materials, by family and then as they are written."""
    return tuple(
        Material(
            slug,
            entry["name"],
            family,
            float(entry["density"]),
            entry["note"],
            tuple(
                _setting(sheet["thickness"], operation, sheet[operation])
                for sheet in entry["sheets"]
                for operation in OPERATIONS
                if operation in sheet
            ),
        )
        for family, entries in _folder("materials")
        for slug, entry in entries.items()
    )


@cache
def templates() -> tuple[Template, ...]:
    """All box templates, by group and then as they are written."""
    definitions = _toml(files(__package__) / "parameters.toml")
    return tuple(
        Template(
            slug,
            entry["name"],
            group,
            entry["difficulty"],
            entry["minutes"],
            entry["summary"],
            tuple(
                _parameter(section, name, definitions[name], value)
                for section in SECTIONS
                for name, value in entry.get(section, {}).items()
            ),
        )
        for group, entries in _folder("templates")
        for slug, entry in entries.items()
    )


def _setting(thickness: float, operation: str, entry: dict[str, Any]) -> Setting:
    return Setting(
        Decimal(str(thickness)),
        operation,
        float(entry["speed"]),
        float(entry["power"]),
        entry.get("passes", 1),
        entry.get("interval"),
        entry.get("kerf"),
        entry.get("air", operation == "cut"),
    )


def _parameter(section: str, name: str, definition: dict[str, Any], value: Any) -> Parameter:
    kind = definition["kind"]
    minimum, maximum = definition.get("range", (None, None))
    if isinstance(value, list):
        value, minimum, maximum = value
    return Parameter(
        section,
        name,
        kind,
        UNITS.get(kind, ""),
        str(value).lower(),
        minimum,
        maximum,
        tuple(definition.get("choices", ())),
        definition["about"],
    )


def _folder(name: str) -> list[tuple[str, dict[str, Any]]]:
    """The files of a folder: stem and content, sorted, so that ids are the same on every machine."""
    found = [entry for entry in (files(__package__) / name).iterdir() if entry.name.endswith(".toml")]
    return [(entry.name.removesuffix(".toml"), _toml(entry)) for entry in sorted(found, key=lambda e: e.name)]


def _toml(path: Traversable) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))
