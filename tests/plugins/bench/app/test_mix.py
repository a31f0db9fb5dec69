"""What people ask of the shop: the same of everybody, in the shares that it says."""

from __future__ import annotations

from collections import Counter

import pytest

from galvo_bench.app.mix import MIX, Customer, Drawing, Mix, World

WORLD = World(
    customers=[Customer("one", [1, 2], [1]), Customer("two", [3], [2, 3])],
    staff="three",
    templates=5,
    materials=7,
    groups=["boxes", "trays"],
    families=["wood", "metal"],
    sheets=[(1, 3.0), (2, 4.5)],
    settings=[1, 2, 3],
    drawings=[Drawing(1, {"width": [100.0, 110.0]}, [(1, 3.0)]), Drawing(2, {}, [(2, 4.5)])],
)


def test_everybody_is_asked_the_same() -> None:
    one, two = Mix(WORLD, 1), Mix(WORLD, 1)
    assert [one.next() for _ in range(500)] == [two.next() for _ in range(500)]
    assert sum(MIX.values()) == 10_000
    kinds = Counter(request.kind for request in (one.next() for _ in range(20_000)))
    assert set(kinds) == set(MIX)
    writes = sum(kinds[kind] for kind in ("rename", "part", "queue", "tune"))
    assert writes == pytest.approx(600, rel=0.15), "3 %"


def test_a_change_names_the_revision_that_was_seen() -> None:
    mix = Mix(WORLD, 1, only="rename")
    first = mix.next()
    assert b'"revision": 1' in first.payload
    mix.learn(first, b'{"id":1,"revision":7,"parameters":[]}')
    again = next(request for request in iter(mix.next, None) if request.project == first.project)
    assert b'"revision": 7' in again.payload
    mix.learn(again, b'{"problem":"revision: the project was changed meanwhile, to 9: look at it, and try again"}')
    assert mix.revisions[first.project] == 9
