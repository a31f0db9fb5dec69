"""Start order: what is needed comes first, otherwise as listed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galvo import PluginError
from galvo.order import start_order


@dataclass
class Unit:
    name: str
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def order(*units: Unit) -> str:
    return "".join(unit.name for unit in start_order(units))


@pytest.mark.parametrize(
    "units,expected",
    [
        ([Unit("a"), Unit("b"), Unit("c")], "abc"),
        ([Unit("a", ("c",)), Unit("b"), Unit("c")], "cab"),
        ([Unit("a"), Unit("b", ("a",)), Unit("c")], "abc"),
        ([Unit("a", after=("c",)), Unit("b"), Unit("c", after=("nobody",))], "cab"),
        ([Unit("a", ("missing",))], "a"),
        ([], ""),
    ],
)
def test_order(units: list[Unit], expected: str) -> None:
    assert order(*units) == expected


@given(st.data())
def test_every_graph_without_cycle_is_sorted(data: st.DataObject) -> None:
    names = "abcdefg"
    units = []
    for index, name in enumerate(names):
        needs = data.draw(st.lists(st.sampled_from(names[:index]), max_size=3)) if index else []
        half = len(needs) // 2
        units.append(Unit(name, tuple(needs[:half]), tuple(needs[half:])))
    result = order(*data.draw(st.permutations(units)))
    assert sorted(result) == list(names)
    for unit in units:
        for need in (*unit.requires, *unit.after):
            assert result.index(need) < result.index(unit.name)
    assert order(*units) == names, "listed in a good order already, so nothing moves"


@pytest.mark.parametrize(
    "units,cycle",
    [
        ([Unit("a", ("b",)), Unit("b", after=("c",)), Unit("c", ("a",))], "a -> b -> c -> a"),
        ([Unit("x"), Unit("a", ("a",))], "a -> a"),
        ([Unit("in", ("a",)), Unit("a", ("b",)), Unit("b", ("a",))], "a -> b -> a"),
    ],
)
def test_a_cycle_is_named_without_what_only_leads_to_it(units: list[Unit], cycle: str) -> None:
    with pytest.raises(PluginError) as caught:
        start_order(units)
    assert str(caught.value).endswith(f"form a cycle: {cycle}")
