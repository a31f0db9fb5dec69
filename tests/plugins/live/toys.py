"""Plugins to be switched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from galvo import Plugin, PluginSettings, Proceed, Query, Rows, hookimpl

LISTED = ("pool", "galvo_pool:PoolPlugin"), ("live", "galvo_live:LivePlugin")
HERE = __name__


class ValueSettings(PluginSettings):
    value: int = 1


class Value(Plugin):
    """Answers "value" with its setting."""

    name = "value"
    settings_type = ValueSettings

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows(((self.settings.value,),)) if query.sql == "value" else await proceed(query)


class Broken(Plugin):
    name = "broken"

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        raise ValueError("a file of it is missing")
        yield


class Left(Plugin):
    name = "left"
    requires = ("right",)


class Right(Plugin):
    name = "right"
    requires = ("left",)


def folder(root: Path, settings: str, *more: str) -> Path:
    """A host's: entrypoints.toml with pool, live and the toys, and settings, in which these but for `value` are off."""
    toys = [(cls.name, f"{HERE}:{cls.__name__}") for cls in (Value, Broken, Left, Right)]
    lines = [f'[[plugin]]\nname = "{name}"\ntarget = "{target}"\n' for name, target in (*toys, *LISTED)]
    (root / "entrypoints.toml").write_text("\n".join(lines), "utf-8")
    (root / "settings").mkdir(exist_ok=True)
    write(root, settings, *more)
    return root


def write(root: Path, settings: str, *off: Any) -> None:
    """Its settings file; whatever toy is not in it is off."""
    rest = [f"[{name}]\non = false\n" for name in ("broken", "left", "right") if f"[{name}]" not in settings]
    (root / "settings/galvo.toml").write_text("\n".join([settings, *rest]), "utf-8")
