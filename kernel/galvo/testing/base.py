"""What an author says of a plugin, as class attributes, and the stage that is made of it for each check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import pytest

from galvo.plugin import Plugin
from galvo.registry import hooks_of
from galvo.testing.stage import Stage

Check = TypeVar("Check", bound=Callable[..., Any])
BUDGET = {"on_query": 0.005, "on_cache_miss": 0.005, "on_metric": 0.0005, "on_memory_pressure": 0.05}


class Contract:
    """Any attribute but `plugin` may be a pytest fixture of that name in the derived class instead."""

    plugin: ClassVar[type[Plugin]]
    """The class to prove."""
    settings: ClassVar[Any] = {}
    """Its table, as a dict. It runs with `required = false`, because what is required cannot be disabled."""
    changed: ClassVar[Any] = {"mode": "shadow"}
    """What a reload changes in its table, as a dict."""
    hostile_settings: ClassVar[Any] = ()
    """A tuple of such changes, each of which a reload has to refuse, for example a URL where nobody listens."""
    beside: ClassVar[Any] = {}
    """Plugins that run with it, with their tables. One that provides "pool" runs the queries; without one, the kit's
    own `Database` does, in memory: it knows the statements below, and refuses all others as a database would.
    """
    statement: ClassVar[str] = "select $1::int as n"
    """A read with one argument, which it answers as one row of one column."""
    failing: ClassVar[str] = "select 1/0"
    """A statement that the database refuses."""
    budget: ClassVar[Any] = BUDGET
    """Seconds of CPU that one step of a hook, from one await to the next, may take; missing ones are the default's."""
    injected: ClassVar[bool] = True
    """Errors are raised at the awaits of its start, inside of what it awaits. False for a start that awaits what can
    bear nothing but cancellation there, asyncpg or a thread: give it `hostile_settings` with which the start fails.
    """
    shares_work: ClassVar[bool] = False
    """A query that it has handed on may go on when its caller is cancelled, because others wait for it, too, as in a
    single flight. False: whatever it has handed on has ended when the caller has gone.
    """
    thorough: ClassVar[bool] = False
    """True: every await of the start, the stop and the hooks is tried instead of some of each, and more of the rest."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def stage(self, request: pytest.FixtureRequest) -> Stage:
        """All of the attributes above, as they are for this test."""

        def value(name: str) -> Any:
            found = getattr(type(self), name)
            return request.getfixturevalue(name) if callable(found) else found

        plugin = given(type(self))
        if not (isinstance(plugin, type) and issubclass(plugin, Plugin)):
            pytest.fail(f"{type(self).__name__}.plugin is {plugin!r}: set it to the plugin's class", pytrace=False)
        return Stage(
            plugin=plugin,
            check=request.node.originalname.removeprefix("test_"),
            settings=value("settings"),
            changed=value("changed"),
            hostile_settings=value("hostile_settings"),
            beside=value("beside"),
            statement=value("statement"),
            failing=value("failing"),
            budget={**BUDGET, **value("budget")},
            injected=value("injected"),
            shares_work=value("shares_work"),
            thorough=value("thorough"),
        )


def given(contract: type[Contract]) -> Any:
    """Its `plugin`, which an author may have forgotten."""
    return getattr(contract, "plugin", None)


def for_hook(*names: str) -> Callable[[Check], Check]:
    """A check that is not collected for a plugin without one of these hooks."""

    def mark(check: Check) -> Check:
        check.galvo_applies = lambda cls: given(cls) is None or bool(hooks_of(given(cls)).keys() & set(names))  # type: ignore[attr-defined]
        return check

    return mark
