"""Whose code a stack was stopped in: a plugin's, or the application's."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from galvo import Plugin
from galvo_live.watchdog.stack import Call, top

KERNEL = "galvo"
"""Below it are others' calls."""
LIBRARIES = ("galvo_local", "galvo_sql", "galvo_statistics")
"""Parts of plugins that are not in site-packages in a clone."""


class Site(NamedTuple):
    """A line, and the plugin that it belongs to; "" for the application."""

    plugin: str
    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.function})"


def culprit(stack: list[Call], plugins: Mapping[str, Plugin]) -> Site:
    """Whose call it was, by the innermost one that tells; nobody's when none does.

    A method of an instance is that plugin's, whoever else inherits it. Other code is a plugin's when no other one has
    it, too, and no method of another instance has called it. What the kernel or a plugin calls on behalf of the
    application (`cached(..., load)`) is the application's.
    """
    owner, seen = "", None
    for call in stack:
        if call.plugin is not None:  # of another kernel, perhaps, or of an instance that was replaced
            owner = next((name for name, plugin in plugins.items() if plugin is call.plugin), "")
            return _site(owner, seen or call)
        owners = _owners(call, plugins)
        if not owners and _library(call):
            continue
        beside = any(call.module == type(plugin).__module__ for plugin in plugins.values())
        if top(call.module) == KERNEL or not (owners or beside):
            return _site(owner, seen or call)
        owner = owner or (owners[0] if len(owners) == 1 else "")
        seen = seen or call  # whose a function beside the plugin's class is, its caller tells
    return _site(owner, seen or stack[0])


def _site(plugin: str, call: Call) -> Site:
    return Site(plugin, call.code.co_filename, call.line, call.code.co_qualname)


def _owners(call: Call, plugins: Mapping[str, Plugin]) -> list[str]:
    """All that may be: by their classes, or else by their packages."""
    classes = {name: type(plugin) for name, plugin in plugins.items()}
    return [name for name, cls in classes.items() if _method(call, cls)] or [
        name
        for name, cls in classes.items()
        if (home := _home(cls)) and (call.module == home or call.module.startswith(f"{home}."))
    ]


def _method(call: Call, cls: type[Plugin]) -> bool:
    return any(
        call.module == base.__module__ and call.code.co_qualname.startswith(f"{base.__qualname__}.")
        for base in cls.__mro__[: cls.__mro__.index(Plugin)]
    )


def _home(cls: type[Plugin]) -> str:
    """The package that is all the plugin's: the outermost that its class can be imported from; "" for none."""
    parts = cls.__module__.split(".")
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        package = sys.modules.get(name)
        if hasattr(package, "__path__") and getattr(package, cls.__name__, None) is cls:
            return name
    return ""


def _library(call: Call) -> bool:
    name, file = top(call.module), call.code.co_filename
    return name in sys.stdlib_module_names or name in LIBRARIES or file.startswith(("<frozen", *_folders()))


@cache
def _folders() -> tuple[str, ...]:
    """Of installed packages."""
    return tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()})
