"""`galvo explain on_query`: the composed order of a hook, and the reason for it."""

from __future__ import annotations

from collections.abc import Sequence
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
