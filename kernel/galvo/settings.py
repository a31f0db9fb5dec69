"""Which plugins are on, and how: plugin defaults < galvo.toml < overlay < environment < overrides.

`settings/galvo.toml` is the base; GALVO_ENV=production lays `settings/production.toml` over it;
GALVO_POOL__MAX_SIZE=20 sets `max_size` under `[pool]`.
"""

from __future__ import annotations

import difflib
import itertools
import json
import os
import re
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from galvo.errors import SettingsError

BASE = "settings/galvo.toml"
PREFIX = "GALVO_"
NAME = re.compile(r"(?!kernel$)[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""What a plugin may be called: then its table and its variables can be told apart."""
NAMING = "a-z, 0-9 and single _, not 'kernel'"
Raw = dict[str, dict[str, Any]]
M = TypeVar("M", bound=BaseModel)


class _Text(str):
    """A value from the environment: a text, or JSON where the setting is no text."""

    __slots__ = ()


class _Environment(EnvSettingsSource):
    # A setting's type is not known yet, and a password may be all digits: nothing is decoded here.
    def explode_env_vars(self, field_name: str, field: Any, env_vars: Mapping[str, str | None]) -> Any:
        texts = {name: _Text(value) for name, value in env_vars.items() if value is not None}
        return super().explode_env_vars(field_name, field, texts)

    def decode_complex_value(self, field_name: str, field: Any, value: Any) -> Any:
        return value


class KernelSettings(BaseModel):
    """The kernel's own keys, under `[kernel]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start_timeout: float = Field(30, gt=0, description="Seconds a plugin may take to start.")
    stop_timeout: float = Field(10, gt=0, description="Seconds a plugin may take to stop before it is cancelled.")
    drain_timeout: float = Field(10, gt=0, description="Seconds to wait for running queries before a plugin stops.")
    faults: int = Field(5, ge=1, description='Faults within the window that eject a plugin with on_error = "eject".')
    fault_window: float = Field(60, gt=0, description="Seconds in which those faults count.")
    eject_for: float = Field(30, gt=0, description="Seconds until an ejected plugin is tried again; doubles each time.")


def gather(
    root: Path,
    plugins: Iterable[str],
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    unlisted: Callable[[], Iterable[str]] = tuple,
) -> Raw:
    """All layers merged, one table of unvalidated keys per plugin, and "kernel".

    `unlisted` plugins may have a table as well, so that one can be prepared or left behind; it is asked only when
    some other name than those of `plugins` comes up, because it looks through all of site-packages.
    Raises SettingsError for an unreadable file, a missing overlay, or an unknown table or variable.
    """
    files = {path: _parse(path) for path in layers(root)}
    variables = [name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() != "GALVO_ENV"]
    mentioned = {*itertools.chain(*files.values(), overrides or ()), *map(_plugin_of, variables)}
    known = ["kernel", *plugins]
    if not mentioned <= set(known):
        known += [name for name in unlisted() if name not in known]
    for name in known[1:]:
        if not NAME.fullmatch(name):
            raise SettingsError(f"plugin {name!r} needs another name: {NAMING}")
    for path, tables in files.items():
        for name, table in tables.items():
            _known(name, known, f"{path}: ", "plugin table")
            if not isinstance(table, dict):
                raise SettingsError(f"{path}: {name} must be a table: write [{name}]")
    for variable in variables:
        if not variable[len(PREFIX) :].partition("__")[2]:
            raise SettingsError(f"{variable}: write GALVO_<PLUGIN>__<KEY>, or GALVO_ENV")
        _known(_plugin_of(variable), known, f"{variable}: ", "plugin")
    for name in overrides or {}:
        _known(name, known, "overrides: ", "plugin")

    class Layers(BaseSettings):
        model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__")

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            tomls = [TomlConfigSettingsSource(settings_cls, path) for path in reversed(list(files))]
            return init_settings, _Environment(settings_cls), *tomls

    fields: dict[str, Any] = {name: (dict[str, Any], Field(default_factory=dict)) for name in known}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a plugin may have the name of one of pydantic's own methods
            model = create_model("Settings", __base__=Layers, **fields)
        merged = model(**{name: dict(table) for name, table in (overrides or {}).items()})
    except (ValidationError, ValueError, NameError) as error:
        raise SettingsError(f"settings cannot be read: {type(error).__name__}") from None
    return {name: getattr(merged, name) for name in known}


def _plugin_of(variable: str) -> str:
    return variable[len(PREFIX) :].lower().partition("__")[0]


def layers(root: Path) -> Iterable[Path]:
    """The settings files in force, base first. Raises SettingsError for an overlay that is not there, and for what is
    no file or may not be looked at.
    """
    base = root / BASE
    if _is_file(base):
        yield base
    overlay = next((value for name, value in os.environ.items() if name.upper() == "GALVO_ENV"), "")
    if overlay:
        path = base.parent / f"{overlay}.toml"
        if not _is_file(path):
            raise SettingsError(f"GALVO_ENV={overlay} wants {path.resolve()}, which does not exist")
        yield path


def _is_file(path: Path) -> bool:
    try:
        if path.is_file():
            return True
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    raise SettingsError(f"{path}: is no file")


def validated(model: type[M], table: Mapping[str, Any], name: str) -> M:
    """`table` as `model`. Raises SettingsError with one sentence per key; values are never repeated."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
        if decoded := {key: _decoded(table[key]) for key in wrong if isinstance(table.get(key), _Text)}:
            return validated(model, {**table, **decoded}, name)
        lines: dict[str, list[str]] = {}
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            key = ".".join(map(str, _given(item["loc"], table) if item["type"] != "missing" else item["loc"]))
            if item["type"] == "extra_forbidden":
                lines[f"[{name}] has no key {key!r}"] = [_nearest(key, model.model_fields)]
            else:
                message = item["msg"].removeprefix("Value error, ")
                lines.setdefault(f"[{name}] {key}{': ' * bool(key)}", []).append(f"{message[:1].lower()}{message[1:]}")
        raise SettingsError("; ".join(f"{where}{', or '.join(told)}" for where, told in lines.items())) from None


def _given(place: tuple[int | str, ...], table: Any) -> tuple[int | str, ...]:
    """As much of it as is in `table`: of a union, pydantic names the member behind it."""
    for length, part in enumerate(place):
        try:
            table = table[part]
        except (LookupError, TypeError):
            return place[:length] or place
    return place


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return str(text)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: {error}") from None


def _known(name: str, known: Iterable[str], where: str, what: str) -> None:
    if name not in known:
        raise SettingsError(f"{where}no {what} {name!r}{_nearest(name, known)}; installed: {', '.join(known)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
