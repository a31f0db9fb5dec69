"""A wrong signature is refused with an error that names plugin, hook, what was found and what is expected."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from galvo import Plugin, PluginError, hookimpl
from galvo.registry import Registry, hooks_of, validate


class Owner:
    name = "wrong"
    mode = "active"
    on_error = "skip"

    def fault(self, hook: str, error: Exception) -> None: ...
    def compared(self, same: bool) -> None: ...


def plugin(**members: Any) -> Plugin:
    cls = type("Wrong", (Plugin,), {"name": "wrong", **members})
    return cls(None, None)  # type: ignore[no-any-return]


@hookimpl
async def unknown_parameter(self, query, proceeed): ...  # type: ignore[no-untyped-def]


@hookimpl
async def no_proceed(self, query): ...  # type: ignore[no-untyped-def]


@hookimpl
def not_async(self, query, proceed): ...  # type: ignore[no-untyped-def]


@hookimpl
async def default(self, query, proceed=None): ...  # type: ignore[no-untyped-def]


@hookimpl
async def keyword_only(self, *, query, proceed): ...  # type: ignore[no-untyped-def]


@hookimpl
async def star(self, query, proceed, *rest): ...  # type: ignore[no-untyped-def]


@hookimpl
async def yields(self, query, proceed):  # type: ignore[no-untyped-def]
    yield


@hookimpl
async def no_self(query, proceed): ...  # type: ignore[no-untyped-def]


@hookimpl
async def nothing(): ...  # type: ignore[no-untyped-def]


@hookimpl(wrapper=True)
def wrapper(self, query, proceed):  # type: ignore[no-untyped-def]
    yield


@hookimpl
async def async_metric(self, metric, value): ...  # type: ignore[no-untyped-def]


@hookimpl
def metric_by_another_name(self, name, value): ...  # type: ignore[no-untyped-def]


@hookimpl
async def miss(self, query, key): ...  # type: ignore[no-untyped-def]


WRONG = [
    ("on_query", unknown_parameter, "unknown parameter 'proceeed'", "async def on_query(self, query, proceeed)"),
    ("on_query", no_proceed, "must take `proceed`", "async def on_query(self, query)"),
    ("on_query", not_async, "must be `async def`", "def on_query(self, query, proceed)"),
    ("on_query", default, "defaults", "async def on_query(self, query, proceed)"),
    ("on_query", keyword_only, "keyword-only", "async def on_query(self, query, proceed)"),
    ("on_query", star, "unknown parameter 'rest'", "async def on_query(self, query, proceed, rest)"),
    ("on_query", yields, "must not yield", "async def on_query(self, query, proceed)"),
    ("on_query", no_self, "first parameter must be `self`", "async def on_query(query, proceed)"),
    ("on_query", nothing, "first parameter must be `self`", "async def on_query()"),
    ("on_query", wrapper, "wrappers are not supported", "def on_query(self, query, proceed)"),
    ("on_metric", async_metric, "must be a plain `def`", "async def on_metric(self, metric, value)"),
    ("on_metric", metric_by_another_name, "unknown parameter 'name'", "def on_metric(self, name, value)"),
    ("on_cache_miss", miss, "unknown parameter 'key'", "async def on_cache_miss(self, query, key)"),
    ("on_memory_pressure", miss, "unknown parameter 'query'", "async def on_memory_pressure(self, query, key)"),
]
EXPECTED = {
    "on_query": "`async def on_query(self, query, proceed)`",
    "on_cache_miss": "`async def on_cache_miss(self, query, reason)`",
    "on_metric": "`def on_metric(self, metric, value)`",
    "on_memory_pressure": "`async def on_memory_pressure(self, pressure)`",
}


@pytest.mark.parametrize("hook,function,trouble,found", WRONG, ids=lambda x: getattr(x, "__name__", None))
def test_wrong_signature(hook: str, function: Any, trouble: str, found: str) -> None:
    registry = Registry(["wrong"])
    before = registry.implementations()
    with pytest.raises(PluginError) as caught:
        registry.register(plugin(**{hook: function}), Owner())
    message = str(caught.value)
    assert caught.value.plugin == "wrong"
    for part in ("plugin 'wrong'", hook, trouble, f"found `{found}", f"expected {EXPECTED[hook]}"):
        assert part in message
    assert "\n" not in message
    assert registry.implementations() == before == {name: [] for name in EXPECTED}


def test_a_good_hook_beside_a_wrong_one_leaves_no_trace_and_the_name_stays_free() -> None:
    @hookimpl
    def on_metric(self: Any, metric: Any) -> None: ...

    registry = Registry(["wrong"])
    with pytest.raises(PluginError):
        registry.register(plugin(on_metric=on_metric, on_query=not_async), Owner())
    assert registry.implementations()["on_metric"] == []
    registry.register(plugin(on_metric=on_metric), Owner())
    assert len(registry.implementations()["on_metric"]) == 1


@pytest.mark.parametrize("wrap", [classmethod, staticmethod, functools.partial])
def test_a_hook_must_be_a_plain_method(wrap: Any) -> None:
    with pytest.raises(PluginError, match="hook on_query: it must be a plain method, not"):
        validate(type(plugin(on_query=wrap(no_proceed))))


def test_a_hook_that_is_not_marked() -> None:
    async def on_query(self: Any, query: Any, proceed: Any) -> None: ...

    with pytest.raises(PluginError, match=r"on_query is not marked: put @hookimpl above it"):
        validate(type(plugin(on_query=on_query)))


def test_a_mark_on_something_that_is_no_hook_names_the_hooks() -> None:
    with pytest.raises(PluginError, match=r"'on_querry' is no hook; the hooks are on_query, on_cache_miss"):
        validate(type(plugin(on_querry=no_self)))


def test_an_inherited_hook_counts() -> None:
    class Base(Plugin):
        @hookimpl
        def on_metric(self, value: float) -> None: ...

    class Child(Base):
        name = "child"

    validate(Child)
    assert hooks_of(Child) == {"on_metric": ""}
