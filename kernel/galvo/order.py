"""The order in which plugins start: by `requires` and `after`, otherwise as listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from galvo.errors import PluginError


class Startable(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def requires(self) -> tuple[str, ...]: ...
    @property
    def after(self) -> tuple[str, ...]: ...


T = TypeVar("T", bound=Startable)


def start_order(units: Sequence[T]) -> list[T]:
    """`units` so that each comes after what it needs. Raises PluginError that names a cycle."""
    known = {unit.name: unit for unit in units}
    found: dict[str, T] = {}

    def visit(unit: T, path: list[str]) -> None:
        if unit.name in path:
            cycle = " -> ".join([*path[path.index(unit.name) :], unit.name])
            raise PluginError(unit.name, f"`requires` and `after` form a cycle: {cycle}")
        for name in (*unit.requires, *unit.after):
            if name in known and name not in found:
                visit(known[name], [*path, unit.name])
        found[unit.name] = unit

    for unit in units:
        if unit.name not in found:
            visit(unit, [])
    return list(found.values())
