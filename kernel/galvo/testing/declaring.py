"""Checks of what a plugin's class says of itself, without running it."""

from __future__ import annotations

import difflib
from importlib import metadata

from galvo.discovery import GROUP, compatible
from galvo.errors import PluginError
from galvo.hookspecs import KINDS
from galvo.plugin import API_VERSION
from galvo.registry import hooks_of, validate
from galvo.settings import NAME
from galvo.testing.base import Contract
from galvo.testing.stage import Stage


class Declaring(Contract):
    def test_name(self, stage: Stage) -> None:
        """Its name can be a table in settings and part of a variable: a-z, 0-9 and single _."""
        name = getattr(stage.plugin, "name", None)
        valid = isinstance(name, str) and NAME.fullmatch(name)
        if not valid:
            raise AssertionError(
                f"plugin {stage.plugin.__name__}, name: it is called {name!r}. "
                'Write `name = "..."` in the class: a-z, 0-9 and single _, not "kernel"'
            )

    def test_hooks(self, stage: Stage) -> None:
        """Its hooks are marked, and take what the kernel gives; no method only looks like a hook."""
        cls = stage.plugin
        try:
            validate(cls)
        except PluginError as error:
            stage.fail(error.why, "Write it as galvo/hookspecs.py and galvo/plugin.py have it")
        for attribute in dir(cls):
            close = difflib.get_close_matches(attribute, KINDS, 1, 0.75)
            if close and attribute not in KINDS and callable(getattr(cls, attribute)):
                stage.fail(f"its method {attribute} is no hook, so nobody calls it", f"Did you mean {close[0]}?")
        stage.ensure(
            set(hooks_of(cls)) == {hook for hook in KINDS if hasattr(cls, hook)},
            "a hook of it is not marked",
            "Put @hookimpl above it",
        )

    def test_api(self, stage: Stage) -> None:
        """The plugin API that it wants is a range that holds this kernel's."""
        have = ".".join(map(str, API_VERSION))
        stage.ensure(
            compatible(str(stage.plugin.api)),
            f"it wants plugin API {stage.plugin.api!r}, and this kernel has {have}",
            'Write a range such as api = ">=1,<2"',
        )

    def test_needs(self, stage: Stage) -> None:
        """`requires`, `after` and `provides` are tuples of names, and it does not need itself."""
        for key in ("requires", "after", "provides"):
            names = getattr(stage.plugin, key)
            stage.ensure(
                isinstance(names, tuple) and all(isinstance(name, str) and name for name in names),
                f"`{key}` is {names!r}",
                f'Write a tuple of names: {key} = ("pool",)',
            )
            stage.ensure(
                key == "provides" or stage.plugin.name not in names, f"`{key}` names itself", "Take that name out"
            )

    def test_entry_point(self, stage: Stage) -> None:
        """If it is installed, its entry point has its name and leads to its class."""
        cls = stage.plugin
        target = f"{cls.__module__}:{cls.__qualname__}"
        for point in metadata.entry_points(group=GROUP):
            if point.name != cls.name and point.value == target:
                stage.fail(f"its entry point is called {point.name!r}", f"Call it {cls.name!r} in pyproject.toml")
            if point.name == cls.name:
                stage.ensure(
                    point.load() is cls,
                    f"the entry point of its name leads to {point.value}",
                    f'Write {cls.name} = "{target}" in pyproject.toml, and install it again',
                )
