"""`galvo explain`: the composed order of a hook, and the reason for it; what plugins say of a statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import anyio

from galvo.events import Query
from galvo.hookspecs import KINDS
from galvo.observing import Observation
from galvo.registry import hooks_of
from galvo.unit import State, Unit, sentence

DEADLINE = 5.0
"""Seconds for one plugin's `explain`."""
PLACES = {
    "tryfirst": (-1, "marked tryfirst: outside all that are not, wherever it is listed"),
    "": (0, ""),
    "trylast": (1, "marked trylast: inside all that are not, wherever it is listed"),
}


def explain_hook(hook: str, units: Sequence[Unit], seen: Observation | None = None, file: str = "") -> dict[str, Any]:
    """`units` in listed order; gives `hook`'s kind and its layers, outermost first, with what was `seen` of them.

    `file`: where they are listed.
    """
    layers = []
    for index, unit in enumerate(units):
        marks = hooks_of(unit.blueprint.cls)
        shown = unit.on or unit.state is not State.LISTED  # off in the settings, but enabled since
        if hook not in marks or not shown or unit.mode == "off":
            continue
        end, reason = PLACES[marks[hook]]
        why = f"listed {index + 1} of {len(units)}" + (f", {marks[hook]}" if marks[hook] else "")
        layers.append(((end, index), {
            "plugin": unit.name, "state": str(unit.state), "mode": unit.mode,
            "on_error": unit.on_error, "faults": unit.faults, "last_fault": unit.last_fault,
            "why": why,
            "reason": reason or f"where it is listed, number {index + 1} of {len(units)}{file and f' ({file})'}",
            **(seen.figures(hook, unit.name) if seen else {}),
        }))  # fmt: skip
    return {
        "hook": hook,
        "kind": KINDS[hook],
        "layers": [layer for _, layer in sorted(layers, key=lambda x: x[0])],
    }


async def explain_statement(query: Query, units: Iterable[Unit]) -> dict[str, Any]:
    """What each running plugin would do with `query`; one that cannot say it does not keep the others from it."""
    told: dict[str, Any] = {}
    for unit in list(units):
        if unit.plugin is None or unit.state is not State.ACTIVE:
            continue
        try:
            with anyio.fail_after(DEADLINE):
                answer = await unit.plugin.explain(query)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is that plugin's answer
            answer = {"fault": sentence(error)}
        if answer is not None:
            told[unit.name] = answer
    return told


def lines(told: Mapping[str, Any], indent: int = 0) -> Iterator[str]:
    """What plugins tell of a statement, for people: one line a fact, under the plugin's name."""
    width = max((len(name) for name, value in told.items() if not isinstance(value, Mapping)), default=0)
    for name, value in told.items():
        if isinstance(value, Mapping) and value:
            yield f"{' ' * indent}{name}"
            yield from lines(value, indent + 2)
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            yield f"{' ' * indent}{name}"
            for one in value:
                yield from lines(one, indent + 2)
        else:
            yield f"{' ' * indent}{name:{width}}  {_said(value)}"


def duration(seconds: float | None) -> str:
    """For people: "1.25 ms"; three digits that count."""
    if seconds is None:
        return "-"
    for unit, length in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= length * 0.9995:
            size = seconds / length
            return f"{size:.{2 if size < 9.995 else 1 if size < 99.95 else 0}f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | Mapping):
        return ", ".join(map(_said, value)) or "none"
    return "unknown" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
