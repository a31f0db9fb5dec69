"""Whose code was running, found on real stacks."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from galvo import Plugin
from galvo_cache import CachePlugin
from galvo_live.watchdog.culprit import culprit
from galvo_live.watchdog.stack import Call, calls
from galvo_memory import MemoryPlugin

Stack = list[Call]


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


PLUGINS: dict[str, type[Plugin]] = {"mine": Mine, "cache": CachePlugin}
mine = Mine({}, None)  # type: ignore[arg-type]  # it needs no kernel


def test_a_method_a_function_beside_it_and_a_library_that_it_calls_are_the_plugins() -> None:
    for stack in (mine.itself(), mine.by_a_library()):
        assert culprit(stack, PLUGINS).plugin == "mine"
    site = culprit(mine.by_a_function_beside_it(), PLUGINS)
    assert (site.plugin, site.function) == ("mine", "helped")
    assert str(site).startswith(f"{__file__}:")
    assert culprit(Heir({}, None).itself(), {"heir": Heir}).plugin == "heir"  # type: ignore[arg-type]  # it needs no kernel


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
    assert culprit(run(), {"memory": MemoryPlugin}).plugin == ""


def test_what_the_kernel_calls_is_the_applications() -> None:
    run = foreign("def run(load):\n    return load()\n", "galvo.chain")
    load = foreign("def run():\n    return here()\n", "json.loading", here=here)
    stack = mine.on_behalf_of(lambda: run(load))
    assert culprit([call for call in stack if "<lambda>" not in call.code.co_qualname], PLUGINS).plugin == ""
