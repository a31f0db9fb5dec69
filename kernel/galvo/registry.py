"""pluggy underneath: marks, validation, registration. The chain itself is composed elsewhere.

Only documented pluggy API; `pm.hook` is never called, because pluggy cannot await.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pluggy

from galvo import hookspecs
from galvo.chain import Implementation, Owner
from galvo.errors import PluginError
from galvo.plugin import Plugin

SPECS: dict[str, inspect.Signature] = {name: inspect.signature(getattr(hookspecs, name)) for name in hookspecs.KINDS}


class Registry:
    """The registered plugin instances and, per hook, their implementations in order."""

    def __init__(self, order: list[str]) -> None:
        """`order`: plugin names, outermost first; unknown ones come after them."""
        self.sort(order)
        self._owners: dict[str, Owner] = {}
        self._pm = pluggy.PluginManager("galvo")
        self._pm.add_hookspecs(hookspecs)

    def sort(self, order: list[str]) -> None:
        """Take another order; the next `implementations()` are in it."""
        self._order = {name: index for index, name in enumerate(order)}

    def register(self, plugin: Plugin, owner: Owner) -> None:
        """Add `plugin`, or nothing at all. Raises PluginError that names the hook and both signatures."""
        validate(type(plugin))
        self._pm.register(plugin, plugin.name)
        self._owners[plugin.name] = owner

    def unregister(self, name: str) -> None:
        """Take out the plugin of this name, if it is there."""
        if self._owners.pop(name, None) is not None:
            self._pm.unregister(name=name)

    def implementations(self) -> dict[str, list[Implementation]]:
        """Per hook, outermost first: tryfirst, then the rest, then trylast; within each the file's order."""
        found: dict[str, list[Implementation]] = {}
        for hook in hookspecs.KINDS:
            impls = [
                impl
                for impl in getattr(self._pm.hook, hook).get_hookimpls()
                if self._owners[impl.plugin_name].mode != "off"
            ]
            impls.sort(key=lambda impl: self._rank(impl.plugin_name, impl.opts))
            found[hook] = [
                Implementation(self._owners[impl.plugin_name], positional(hook, impl.function)) for impl in impls
            ]
        return found

    def _rank(self, name: str, opts: Any) -> tuple[int, int, str]:
        end = bool(opts["trylast"]) - bool(opts["tryfirst"])
        return end, self._order.get(name, len(self._order)), name


def hooks_of(plugin: type[Plugin] | Plugin) -> dict[str, str]:
    """The hooks a plugin implements, each with "tryfirst", "trylast" or ""."""
    found: dict[str, str] = {}
    for hook in hookspecs.KINDS:
        opts = getattr(getattr(plugin, hook, None), "galvo_impl", None)
        if opts is not None:
            found[hook] = "tryfirst" if opts["tryfirst"] else "trylast" if opts["trylast"] else ""
    return found


def validate(plugin: type[Plugin]) -> None:
    """Raise PluginError unless every marked method fits its hook: name, parameters, sync or async; and `lifespan` is a
    context manager.
    """
    if inspect.isasyncgenfunction(plugin.lifespan) or inspect.iscoroutinefunction(plugin.lifespan):
        raise PluginError(plugin.name, "`lifespan` is no context manager: put @asynccontextmanager above it")
    for attribute, function in inspect.getmembers(plugin, inspect.isfunction):
        if hasattr(function, "galvo_impl") and attribute not in SPECS:
            raise PluginError(plugin.name, f"{attribute!r} is no hook; the hooks are {', '.join(SPECS)}")
    for hook in SPECS:
        found = inspect.getattr_static(plugin, hook, None)
        if found is None:
            continue
        if not inspect.isfunction(found):
            raise PluginError(plugin.name, f"hook {hook}: it must be a plain method, not {type(found).__name__}")
        if not hasattr(found, "galvo_impl"):
            raise PluginError(plugin.name, f"{hook} is not marked: put @hookimpl above it")
        _fit(plugin.name, hook, found)


def _fit(plugin: str, hook: str, function: Callable[..., Any]) -> None:
    expected = SPECS[hook]
    found = inspect.signature(function)
    names = list(found.parameters)
    trouble = ""
    opts = getattr(function, "galvo_impl")  # noqa: B009  # set by pluggy's marker, unknown to the type
    if opts["wrapper"] or opts["hookwrapper"]:
        trouble = "wrappers are not supported, `on_query` is an onion already"
    elif inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        trouble = "it must not yield"
    elif not names or names[0] in expected.parameters:
        trouble = "its first parameter must be `self`"
    elif unknown := [name for name in names[1:] if name not in expected.parameters]:
        trouble = f"unknown parameter {unknown[0]!r}"
    elif any(p.default is not p.empty or p.kind is p.KEYWORD_ONLY for p in found.parameters.values()):
        trouble = "parameters must not have defaults or be keyword-only"
    elif hook == "on_query" and "proceed" not in names:
        trouble = "it must take `proceed`"
    elif hook == "on_query" and not inspect.iscoroutinefunction(function):
        trouble = "it must be `async def`"
    elif hook == "on_metric" and inspect.iscoroutinefunction(function):
        trouble = "it must be a plain `def`"
    if trouble:
        awaits = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
        colour = "async def" if awaits else "def"
        wanted = "def" if hook == "on_metric" else "async def"
        raise PluginError(
            plugin,
            f"hook {hook}: {trouble}; found `{colour} {hook}({', '.join(names)})`, "
            f"expected `{wanted} {hook}({', '.join(['self', *expected.parameters])})`",
        )


def positional(hook: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` taking all the hook's parameters by position, in the specification's order."""
    wanted = list(SPECS[hook].parameters)
    taken = list(inspect.signature(function).parameters)
    if taken == wanted:
        return function
    picks = [wanted.index(name) for name in taken]
    if inspect.iscoroutinefunction(function):

        async def call_async(*args: Any) -> Any:
            return await function(*(args[pick] for pick in picks))

        return call_async

    def call(*args: Any) -> Any:
        return function(*(args[pick] for pick in picks))

    return call
