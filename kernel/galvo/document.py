"""`galvo settings`: every key of every plugin, with its default and meaning, as a settings file."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from galvo.plugin import PluginSettings
from galvo.settings import KernelSettings

HEADER = """\
# Which plugins are on, and how. Every key is here with its default; remove the # to change one.
# Order of precedence: these defaults < this file < settings/$GALVO_ENV.toml < GALVO_<PLUGIN>__<KEY>.
# `galvo settings` prints it anew, with the defaults; what may load at all is in entrypoints.toml.
"""
COMMON = set(PluginSettings.model_fields)


def document(models: Iterable[tuple[str, str, type[BaseModel]]]) -> str:
    """`models`: a name, a sentence and a settings model per table."""
    common = "\n".join(["# Keys that every plugin has:", *_lines(PluginSettings, sorted(COMMON), "#   ")])
    parts = [HEADER, common + "\n", _table("kernel", "The microkernel.", KernelSettings)]
    parts += [_table(name, sentence, model) for name, sentence, model in models]
    return "\n".join(parts)


def _table(name: str, sentence: str, model: type[BaseModel]) -> str:
    keys = [key for key, field in model.model_fields.items() if key not in COMMON or _differs(key, field)]
    on = [f"on = {_toml(model.model_fields['on'].default)}"] if "on" in model.model_fields else []
    return "\n".join([f"# {sentence}", f"[{name}]", *on, *_lines(model, keys, "# ")]) + "\n"


def _differs(key: str, field: FieldInfo) -> bool:
    return key != "on" and field.default != PluginSettings.model_fields[key].default


def _lines(model: type[BaseModel], keys: Iterable[str], indent: str) -> list[str]:
    lines = []
    for key in keys:
        field = model.model_fields[key]
        default = field.get_default(call_default_factory=True)
        if isinstance(default, dict) and any(isinstance(value, BaseModel) for value in default.values()):
            lines += [f"{indent}{key}.{name} = {_toml(dict(value))}" for name, value in default.items()]
        else:
            lines.append(f"{indent}{key} = " + ("(not set)" if default is None else _toml(default)))
        prefix = indent + "    "
        lines += textwrap.wrap(field.description or "", 100, initial_indent=prefix, subsequent_indent=prefix)
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        return '""'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
