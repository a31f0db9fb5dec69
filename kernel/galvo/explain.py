"""`galvo explain`: the composed order of a hook, and the reason for it; what plugins say of a statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from galvo.hookspecs import KINDS
from galvo.registry import hooks_of
from galvo.unit import State, Unit


def explain_hook(hook: str, units: Sequence[Unit]) -> dict[str, Any]:
    """`units` in listed order; gives `hook`'s kind and its layers, outermost first."""
    layers = []
    for index, unit in enumerate(units):
        marks = hooks_of(unit.blueprint.cls)
        shown = unit.on or unit.state is not State.LISTED  # off in the settings, but enabled since
        if hook not in marks or not shown or unit.mode == "off":
            continue
        end = {"tryfirst": -1, "": 0, "trylast": 1}[marks[hook]]
        why = f"listed {index + 1} of {len(units)}" + (f", {marks[hook]}" if marks[hook] else "")
        layers.append(((end, index), {
            "plugin": unit.name, "state": str(unit.state), "mode": unit.mode,
            "on_error": unit.on_error, "faults": unit.faults, "why": why,
        }))  # fmt: skip
    return {
        "hook": hook,
        "kind": KINDS[hook],
        "layers": [layer for _, layer in sorted(layers, key=lambda x: x[0])],
    }


def lines(told: Mapping[str, Any], indent: int = 0) -> Iterator[str]:
    """What plugins tell of a statement, for people: one line a fact, under the plugin's name."""
    width = max((len(name) for name, value in told.items() if not isinstance(value, Mapping)), default=0)
    for name, value in told.items():
        if isinstance(value, Mapping) and value:
            yield f"{' ' * indent}{name}"
            yield from lines(value, indent + 2)
        else:
            yield f"{' ' * indent}{name:{width}}  {_said(value)}"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | Mapping):
        return ", ".join(map(_said, value)) or "none"
    return "unknown" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
