"""Whose code a stack was stopped in: a plugin's, or the application's."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from galvo import Plugin
from galvo_live.watchdog.stack import Call, top

KERNEL = "galvo"
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


def culprit(stack: list[Call], plugins: Mapping[str, type[Plugin]]) -> Site:
    """The innermost call, libraries left out, decides: a plugin is blamed only for what it has called itself.

    What the kernel or a plugin calls on behalf of the application (`cached(..., load)`) is the application's.
    """
    seen: Call | None = None
    for call in stack:
        if owner := _owner(call, plugins.items()):
            return _site(owner, seen or call)
        if _library(call):
            continue
        if not any(call.module == cls.__module__ for cls in plugins.values()):
            return _site("", seen or call)
        seen = seen or call  # a function beside the plugin's class: whose it is, its caller tells
    return _site("", seen or stack[0])


def _site(plugin: str, call: Call) -> Site:
    return Site(plugin, call.code.co_filename, call.line, call.code.co_qualname)


def _owner(call: Call, plugins: Iterable[tuple[str, type[Plugin]]]) -> str:
    for name, cls in plugins:
        for base in cls.__mro__[: cls.__mro__.index(Plugin)]:
            if call.module == base.__module__ and call.code.co_qualname.startswith(f"{base.__qualname__}."):
                return name
    for name, cls in plugins:
        home = _home(cls)
        if home and (call.module == home or call.module.startswith(f"{home}.")):
            return name
    return ""


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
