"""Every key of every settings table, from the models that validate them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from galvo import PluginSettings
from galvo.operating import plan
from galvo.settings import KernelSettings

ROOT = Path(__file__).parents[2]
COMMON = PluginSettings.model_fields


def markdown() -> str:
    """One section a table, in the order of entrypoints.toml."""
    parts = [
        section("Every plugin", "These keys are in the table of every plugin.", COMMON.items()),
        section("[kernel]", "The microkernel.", KernelSettings.model_fields.items()),
    ]
    for blueprint in plan(ROOT, everything=True, warn=False).blueprints:
        model = blueprint.cls.settings_type
        own = [item for item in model.model_fields.items() if item[0] not in COMMON or differs(*item)]
        text = (blueprint.cls.__doc__ or "").strip().partition("\n")[0]
        text += f" Its manual: [{blueprint.name}](../plugins/{blueprint.name}.md)."
        parts.append(section(f"[{blueprint.name}]", text, own))
    return "\n".join(parts)


def section(title: str, text: str, fields: Iterable[tuple[str, FieldInfo]]) -> str:
    name = title.strip("[]").lower().replace(" ", "-")
    heading = f"## `{title}` {{ #{name} }}" if title.startswith("[") else f"## {title} {{ #{name} }}"
    rows = [f"| `{key}` | {default(field)} | {escaped(field.description or '')} |" for key, field in fields]
    return "\n".join([heading, "", text, "", "| key | default | meaning |", "|---|---|---|", *rows, ""])


def differs(key: str, field: FieldInfo) -> bool:
    return bool(field.default != COMMON[key].default)


def default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return "not set" if value is None else f"`{escaped(toml(value))}`"


def toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        return '""'
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;") if "`" not in text else text.replace("|", "\\|")
