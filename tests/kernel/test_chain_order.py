"""The order of a hook's layers: tryfirst, the rest, trylast; within each the listed order, also after changes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from galvo import Plugin, Proceed, Query, Rows, hookimpl
from galvo.registry import Registry
from tests.thorough import examples


class Owner:
    on_error = "skip"

    def __init__(self, name: str, mode: str = "active") -> None:
        self.name = name
        self.mode = mode

    def fault(self, hook: str, error: Exception) -> None: ...
    def compared(self, same: bool) -> None: ...


def make(plugin_name: str, mark: str) -> Plugin:
    class Layer(Plugin):
        name = plugin_name

        @hookimpl(tryfirst=mark == "tryfirst", trylast=mark == "trylast")
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            return await proceed(query)

    return Layer(None, None)  # type: ignore[arg-type]  # never started


def names(registry: Registry) -> list[str]:
    return [item.owner.name for item in registry.implementations()["on_query"]]


@settings(max_examples=examples(200), deadline=None)
@given(data=st.data())
def test_any_history_of_registrations_gives_the_same_order(data: st.DataObject) -> None:
    listed = data.draw(st.permutations(["a", "b", "c", "d", "e"]))
    marks = {n: data.draw(st.sampled_from(["tryfirst", "", "trylast"]), label=n) for n in listed}
    registry = Registry(listed)
    present: set[str] = set()
    for name in data.draw(st.lists(st.sampled_from(sorted(listed)), max_size=15)):
        if name in present:
            registry.unregister(name)
        else:
            registry.register(make(name, marks[name]), Owner(name))
        present ^= {name}
        expected: list[str] = []
        for mark in ("tryfirst", "", "trylast"):
            expected += [n for n in listed if n in present and marks[n] == mark]
        assert names(registry) == expected


def test_sort_takes_another_order_and_unlisted_ones_come_last() -> None:
    registry = Registry(["a", "b"])
    for name in ("x", "b", "a"):
        registry.register(make(name, ""), Owner(name))
    assert names(registry) == ["a", "b", "x"]
    registry.sort(["b", "x", "a"])
    assert names(registry) == ["b", "x", "a"]


def test_mode_off_stays_out_of_the_chain() -> None:
    registry = Registry(["a", "b"])
    registry.register(make("a", ""), Owner("a", "off"))
    registry.register(make("b", ""), Owner("b"))
    assert names(registry) == ["b"]


def test_unregistering_what_is_not_there_does_nothing() -> None:
    registry = Registry([])
    registry.unregister("nobody")
    assert registry.implementations() == {hook: [] for hook in registry.implementations()}


def test_a_plugin_that_counts_as_false_is_registered_all_the_same() -> None:
    class Odd(Plugin):
        name = "odd"

        def __init__(self, name: str) -> None:
            self.name = name  # type: ignore[misc]

        def __len__(self) -> int:
            return 0

        @hookimpl
        async def on_query(self, query: Query, proceed: Proceed) -> Rows:
            return await proceed(query)

    registry = Registry(["a", "b"])
    registry.register(Odd("a"), Owner("a"))
    registry.register(Odd("b"), Owner("b"))
    registry.unregister("a")
    assert names(registry) == ["b"]
    registry.register(Odd("a"), Owner("a"))
    assert names(registry) == ["a", "b"]
