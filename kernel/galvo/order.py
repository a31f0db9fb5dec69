"""The order in which plugins start: by `requires` and `after`, otherwise as listed."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
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
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for unit in units:
        sorter.add(unit.name, *(name for name in (*unit.requires, *unit.after) if name in known))
    try:
        return [known[name] for name in sorter.static_order()]
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
        raise PluginError(error.args[1][0], f"`requires` and `after` form a cycle: {cycle}") from None
