"""What a plugin is written against, as text: names, parameters, types and defaults, one a line.

`CHANGELOG-API.md` keeps this text for each version, and a test compares the newest with the code.
"""

from __future__ import annotations

import ast
import enum
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import msgspec
from pydantic import BaseModel

from galvo import (
    checkup,
    context,
    control,
    errors,
    events,
    facade,
    hookspecs,
    kernel,
    metering,
    observing,
    operating,
    plugin,
    row,
    session,
    sizes,
)  # fmt: skip
from galvo.blueprint import Overrides
from galvo.hookspecs import KINDS

CLASSES: tuple[type, ...] = (
    plugin.Plugin, plugin.PluginSettings, facade.Facade, context.Context, session.Session, session.Transaction,
    session.Pin, session.Lease, session.Leasing, kernel.Kernel, observing.Observation, events.Query, events.Computed,
    events.Driven, events.Rows, row.Row, events.Metric, metering.Metering, events.Level, events.MemoryPressure,
    events.Freed, checkup.Finding, control.Control, control.Change,
)  # fmt: skip
TYPES = {"Isolation": session.Isolation, "Kind": events.Kind, "Overrides": Overrides, "Proceed": hookspecs.Proceed}
TOOLS: tuple[type, ...] = (
    operating.Plan, operating.KernelSettings, operating.Blueprint, operating.Listing, operating.KeptHangup,
    operating.Operations,
)  # fmt: skip

CONTRACT = Path(__file__).parent / "testing/base.py"
OWN = {"Kernel.adopt", "Operations.ended", "Blueprint.same", "Observation.timed"}
"""What only the kernel's other parts call."""


def render() -> str:
    """All of it, each part under its name."""
    lines = ["hooks"]
    lines += [f"  {KINDS[name]}: {signature(name, getattr(hookspecs, name))}" for name in KINDS]
    lines += [f"  {marker()}"]
    lines += ["", "types", *(f"  {name} = {said(found)}" for name, found in TYPES.items())]
    for cls in CLASSES:
        lines += ["", heading(cls), *(f"  {line}" for line in members(cls))]
    lines += ["", "galvo.testing.PluginContract", *(f"  {line}" for line in written(CONTRACT, "Contract"))]
    lines += ["", "errors"]
    for name, found in vars(errors).items():
        if isinstance(found, FunctionType):
            lines.append(f"  {signature(name, found)}")
        elif isinstance(found, type):
            lines.append(f"  {heading(found)}")
    for door in (operating, sizes):
        public = {name: found for name, found in vars(door).items() if isinstance(found, FunctionType)}
        lines += ["", door.__name__, *(f"  {signature(name, found)}" for name, found in public.items())]
    for cls in TOOLS:
        lines += ["", f"galvo.operating.{heading(cls)}", *(f"  {line}" for line in members(cls))]
    return "\n".join(lines)


def marker() -> str:
    """What of pluggy's marker the kernel takes."""
    found = inspect.signature(hookspecs.hookimpl.__call__).parameters.values()
    return f"hookimpl({', '.join(str(one) for one in found if one.name in ('tryfirst', 'trylast'))})".replace("'", "")


def heading(cls: type) -> str:
    """`Computed(Query)`"""
    bases = [base.__name__ for base in cls.__bases__ if base is not object]
    return f"{cls.__name__}({', '.join(bases)})" if bases else cls.__name__


def members(cls: type) -> Iterator[str]:
    """What the class itself adds to its bases: fields and class attributes, then methods."""
    made_by = () if issubclass(cls, enum.Enum) or getattr(cls, "_is_protocol", False) else ("__init__", "__new__")
    own = {name: value for name, value in vars(cls).items() if not name.startswith("_") or name in made_by}
    given = defaults(cls)
    for name, annotation in inspect.get_annotations(cls).items():
        if not name.startswith("_") and name != "model_config":
            yield f"{name}: {said(annotation)}" + (f" = {given[name]}" if name in given else "")
    for name, value in own.items():
        if f"{cls.__name__}.{name}" in OWN:
            continue
        function = inspect.unwrap(value.__func__ if isinstance(value, classmethod | staticmethod) else value)
        if isinstance(value, property):
            yield f"{name} -> {said(inspect.signature(value.fget).return_annotation)}" if value.fget else name
        elif isinstance(value, enum.Enum):
            yield f"{name} = {value.value!r}"
        elif isinstance(function, FunctionType):
            yield signature(name, function)


def written(path: Path, name: str) -> Iterator[str]:
    """A class's fields as its file has them, which cannot be imported without pytest."""
    for found in ast.parse(path.read_text("utf-8")).body:
        if isinstance(found, ast.ClassDef) and found.name == name:
            yield from (ast.unparse(line) for line in found.body if isinstance(line, ast.AnnAssign))


def defaults(cls: type) -> dict[str, str]:
    """Of the class's fields, by name."""
    if issubclass(cls, msgspec.Struct):
        values = cls.__struct_defaults__
        found = dict(zip(cls.__struct_fields__[-len(values) :], values, strict=True)) if values else {}
        return {name: repr(value) for name, value in found.items() if value is not msgspec.NODEFAULT}
    if issubclass(cls, BaseModel):
        return {name: repr(field.default) for name, field in cls.model_fields.items() if not field.is_required()}
    return {name: repr(value) if not isinstance(value, type) else value.__name__ for name, value in vars(cls).items()}


class _Text:
    """An annotation as it is written, without quotes."""

    def __init__(self, annotation: Any) -> None:
        self._said = said(annotation)

    def __repr__(self) -> str:
        return self._said


def signature(name: str, function: Any) -> str:
    """`async name(parameter: type = default) -> type`"""
    found = inspect.signature(function)
    text = found.replace(
        parameters=[
            one if one.annotation is one.empty else one.replace(annotation=_Text(one.annotation))
            for one in found.parameters.values()
        ],
        return_annotation=found.empty if found.return_annotation is found.empty else _Text(found.return_annotation),
    )
    return f"{'async ' * inspect.iscoroutinefunction(function)}{name}{text}"


def said(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
