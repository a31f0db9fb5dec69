"""Whose code was running, found on real stacks."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from galvo import Plugin
from galvo_cache import CachePlugin
from galvo_live.watchdog.culprit import culprit
from galvo_live.watchdog.stack import Call, calls
from galvo_memory import MemoryPlugin

Stack = list[Call]
P = TypeVar("P", bound=Plugin)


def here() -> Stack:
    return calls(sys._getframe(1))


class Mine(Plugin):
    name = "mine"

    def itself(self) -> Stack:
        return here()

    def by_a_function_beside_it(self) -> Stack:
        return helped()

    def by_a_library(self) -> Stack:
        found: list[Stack] = []
        json.loads("{}", object_hook=lambda _: found.append(here()))
        return found[0]

    def by_a_function_inside(self) -> Stack:
        def inside() -> Stack:
            assert isinstance(self, Plugin)
            return here()

        return inside()

    @staticmethod
    def by_nobody() -> Stack:
        return here()

    def on_behalf_of(self, load: Callable[[], Stack]) -> Stack:
        return load()


class Heir(Mine):
    name = "heir"


def helped() -> Stack:
    return here()


def foreign(source: str, name: str, **names: Any) -> Any:
    """A function of the application's, in another module."""
    space = {"__name__": name, **names}
    exec(compile(source, f"/srv/{name}.py", "exec"), space)  # noqa: S102  # ours
    return space["run"]


def made(cls: type[P]) -> P:
    """An instance that needs no kernel."""
    return cls.__new__(cls)


mine, heir = made(Mine), made(Heir)
PLUGINS: dict[str, Plugin] = {"mine": mine, "cache": made(CachePlugin)}


def test_a_method_a_function_beside_it_and_a_library_that_it_calls_are_the_plugins() -> None:
    for stack in (mine.itself(), mine.by_a_library()):
        assert culprit(stack, PLUGINS).plugin == "mine"
    site = culprit(mine.by_a_function_beside_it(), PLUGINS)
    assert (site.plugin, site.function) == ("mine", "helped")
    assert str(site).startswith(f"{__file__}:")
    assert culprit(heir.itself(), {"heir": heir}).plugin == "heir"
    assert culprit(Mine.by_nobody(), {"heir": heir}).plugin == "heir"


def test_nobody_is_blamed_for_what_another_inherits_or_shares() -> None:
    both = {"mine": mine, "heir": heir}
    for plugin, name in ((mine, "mine"), (heir, "heir"), (made(Mine), "")):  # the last one is of another kernel
        for stack in (plugin.itself(), plugin.by_a_function_inside(), plugin.by_a_function_beside_it()):
            assert culprit(stack, both).plugin == culprit(stack, dict(reversed(both.items()))).plugin == name
    assert culprit(Mine.by_nobody(), both).plugin == ""
    # Two plugins of one package, and a helper of both: whose method has called it. Without one, it is nobody's.
    run = foreign("def run():\n    return here()\n", "galvo_cache.deep.inside", here=here)
    two = {"mine": mine, "cache": made(CachePlugin), "again": made(CachePlugin)}
    assert culprit(mine.on_behalf_of(run), two).plugin == "mine"
    assert culprit(run(), two).plugin == ""
    assert culprit(mine.on_behalf_of(run), PLUGINS).plugin == "mine"


def test_an_outer_layer_is_not_to_blame_for_an_inner_one() -> None:
    layer = foreign("def run(load):\n    return load()\n", "galvo.guard")
    stack = mine.on_behalf_of(lambda: layer(Mine.by_nobody))
    assert culprit(stack, {"mine": mine, "heir": heir}).plugin == ""


def test_a_function_in_the_plugins_file_that_the_application_calls_is_the_applications() -> None:
    run = foreign("def run():\n    return helped()\n", "shop.app", helped=helped)
    assert culprit(run(), PLUGINS).plugin == ""


def test_what_a_plugin_calls_on_behalf_of_the_application_is_the_applications() -> None:
    load = foreign("def run():\n    return here()\n", "shop.loading", here=here)
    site = culprit(mine.on_behalf_of(load), PLUGINS)
    assert (site.plugin, site.file) == ("", "/srv/shop.loading.py")
    # A module that only begins like the plugin's package is not in it.
    assert culprit(foreign("def run():\n    return here()\n", "galvo_cachet", here=here)(), PLUGINS).plugin == ""


def test_all_of_a_package_is_its_plugins() -> None:
    run = foreign("def run():\n    return here()\n", "galvo_cache.deep.inside", here=here)
    assert culprit(run(), PLUGINS).plugin == "cache"
    assert culprit(run(), {"memory": made(MemoryPlugin)}).plugin == ""


def test_what_the_kernel_calls_is_the_applications() -> None:
    run = foreign("def run(load):\n    return load()\n", "galvo.chain")
    load = foreign("def run():\n    return here()\n", "json.loading", here=here)
    stack = mine.on_behalf_of(lambda: run(load))
    assert culprit([call for call in stack if "<lambda>" not in call.code.co_qualname], PLUGINS).plugin == ""
