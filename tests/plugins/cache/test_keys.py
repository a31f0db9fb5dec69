"""Two argument tuples that PostgreSQL could tell apart never share a key."""

from __future__ import annotations

import datetime as dt
import enum
import math
import uuid
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_cache.keys import Unkeyable, args_of, key_of, weight_of
from tests.thorough import examples

BERLIN = dt.timezone(dt.timedelta(hours=2))
LATE = dt.datetime.fromisoformat("2024-10-27T02:30")  # twice, in Berlin
SPELLINGS = [
    1, True, 1.0, Decimal(1), Decimal("1.0"), Decimal("1.00"), "1", b"1",
    0, False, 0.0, -0.0, Decimal(0), Decimal("-0"), Decimal("0.0"), None, "", b"", "None",
    math.inf, -math.inf, math.nan, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), "nan",
    2**31, -(2**31) - 1, 2**63, -(2**63), 2**61 - 1, 2**200, -(2**200), hex(2**200), 1e300, 10**300,
    dt.date(2024, 1, 1), dt.datetime.fromisoformat("2024-01-01"), dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2024, 1, 1, 2, tzinfo=BERLIN), LATE, LATE.replace(fold=1),
    LATE.replace(tzinfo=ZoneInfo("Europe/Berlin")), LATE.replace(fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    dt.time(1), dt.time(1, tzinfo=dt.UTC), dt.time(2, tzinfo=BERLIN),
    dt.timedelta(days=1), dt.timedelta(days=1, microseconds=1),
    uuid.UUID(int=1), uuid.UUID(int=2**61), str(uuid.UUID(int=1)), uuid.UUID(int=1).bytes,
    [], [1], [True], [[1]], [1, 2], ["1"], [None], [0.0], [-0.0], [Decimal("1.0")], [Decimal("1.00")],
    [[1], [2]], [[1, 2]],
    [2**64], [2**64 + 2**61 - 1], "a", "a\0", "ä", "a\u0308", "A",
]  # fmt: skip


def spelled(value: Any) -> Any:
    """A slow, obvious identity of a value as it goes over the wire."""
    if isinstance(value, list | tuple):
        return "list", [spelled(item) for item in value]
    if isinstance(value, uuid.UUID):
        return "uuid", value.hex
    if isinstance(value, dt.datetime | dt.time) and value.tzinfo is not None:
        return type(value).__name__, repr(value.replace(tzinfo=None)), str(value.utcoffset())
    return type(value).__name__, repr(value)


SCALARS = st.one_of(
    st.sampled_from(SPELLINGS),
    st.integers(), st.booleans(), st.floats(), st.decimals(), st.text(max_size=4), st.binary(max_size=4),
    st.dates(), st.times(), st.timedeltas(), st.uuids(), st.none(),
    st.datetimes(timezones=st.none() | st.timezones() | st.just(BERLIN)),
)  # fmt: skip
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
TUPLES = st.lists(VALUES, max_size=3).map(tuple)


@settings(max_examples=examples(300), deadline=None)
@given(TUPLES, TUPLES)
def test_different_arguments_have_different_keys(left: tuple[Any, ...], right: tuple[Any, ...]) -> None:
    same = len(left) == len(right) and spelled(left) == spelled(right)
    assert (key_of(left) == key_of(right)) is same


def test_every_pair_of_spellings() -> None:
    values = SPELLINGS
    alone = {key_of((value,)) for value in values}
    assert len(alone) == len({repr(spelled(value)) for value in values})
    twice = {key_of((value, value)) for value in values}
    listed = {key_of(([value],)) for value in values}
    assert len(twice) == len(listed) == len(alone)
    assert not alone & twice
    assert not twice & listed
    assert key_of(()) not in alone | twice | listed


@settings(max_examples=examples(200), deadline=None)
@given(TUPLES)
def test_the_same_arguments_have_the_same_key(args: tuple[Any, ...]) -> None:
    assert key_of(args) == key_of((*args,))
    assert hash(key_of(args)) == hash(key_of(args))


def test_one_argument_never_meets_several() -> None:
    pair = [1, 2]
    keys = {key_of((1, 2)), key_of((pair,)), key_of((pair, pair)), key_of((1,)), key_of(([1],)), key_of(([[1]],))}
    assert len(keys) == 6


def test_a_list_is_keyed_by_what_it_held() -> None:
    ids = [1, 2]
    key = key_of((ids,))
    ids.append(3)
    assert key == key_of(([1, 2],)) != key_of((ids,))


def test_asyncpg_and_python_uuids_meet() -> None:
    from asyncpg.pgproto.pgproto import UUID

    value = uuid.uuid4()
    assert key_of((value,)) == key_of((UUID(str(value)),))


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    __slots__ = ()


class Zone(dt.tzinfo):
    """All instances have one repr."""

    def __init__(self, hours: int) -> None:
        self.hours = hours

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(hours=self.hours)

    def __repr__(self) -> str:
        return "Zone"


def test_two_zones_with_one_repr() -> None:
    def at(hours: int) -> Any:
        return key_of((dt.datetime(2024, 1, 1, tzinfo=Zone(hours)),))

    assert at(1) != at(2)
    assert at(1) == key_of((dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))),))


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED, Text("a"), {"a": 1}, {1}, bytearray(b"a"), memoryview(b"a"), object(), asyncpg.Range(1, 2), int,
        1j, [object()], (1, [{}]),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_types_without_a_safe_key_are_refused(value: Any) -> None:
    for args in ((value,), (1, value), ([value],)):
        with pytest.raises(Unkeyable) as caught:
            key_of(args)
        assert str(caught.value) != "a", "the value is not told"


def test_endless_nesting_is_refused() -> None:
    deep: list[Any] = []
    deep.append(deep)
    with pytest.raises(Unkeyable):
        key_of((deep,))
    deep = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(Unkeyable):
        key_of((deep,))


@pytest.mark.parametrize("make", [lambda n: n * (2**61 - 1), lambda n: uuid.UUID(int=n * (2**61 - 1))])
def test_a_visitor_cannot_choose_values_that_hash_alike(make: Any) -> None:
    """Otherwise n crafted ids cost n**2 comparisons."""
    values = [make(n) for n in range(3000)]
    assert len({hash(value) for value in values}) < 5, "the values are not crafted well"
    for args in ([(value,) for value in values], [(value, 1) for value in values]):
        assert len({hash(key_of(one)) for one in args}) > 2900


def test_a_visitor_cannot_choose_pairs_that_hash_alike() -> None:
    """CPython's hash of a tuple is xxHash without a seed, which can be solved for the second of two integers."""
    one, two, five, word = 11400714785074694791, 14029467366897019727, 2870177450012600261, 2**64
    back, pairs = pow(two, -1, word), []
    for first in range(40_000):
        lane = (five + first * two) % word
        lane = ((lane << 31 | lane >> 33) % word) * one % word
        second = -lane * back % word
        second -= word if second >= word // 2 else 0
        if abs(second) < 2**61 - 1:
            pairs.append((first, second))
    assert len(pairs) > 5000
    assert len({hash(pair) for pair in pairs}) < 5, "the pairs are not crafted well"
    assert len({hash(key_of(pair)) for pair in pairs}) == len(pairs)


def test_the_weight_of_a_key_grows_with_it() -> None:
    assert weight_of(key_of(("a" * 10_000,))) > 10_000
    assert weight_of(key_of((list(range(1000)),))) > 50_000
    assert weight_of(key_of((1,))) < 200


@settings(max_examples=examples(300), deadline=None)
@given(TUPLES)
def test_a_key_gives_its_arguments_back(args: tuple[Any, ...]) -> None:
    """As they go over the wire: of a time zone only the offset."""
    again = args_of(key_of(args))
    assert [spelled(value) for value in again] == [spelled(value) for value in args]
    assert key_of(again) == key_of(args)


def test_the_arguments_of_every_spelling() -> None:
    for value in SPELLINGS:
        for args in ((value,), (value, 1), ([value], value)):
            assert [spelled(one) for one in args_of(key_of(args))] == [spelled(one) for one in args]


@pytest.mark.parametrize("key", ["text", 7, ((int, 1, 2),), ((object, 1),), ((int, "x"),), ((str, 1),), (1, (int, 1))])
def test_what_is_no_key_has_no_arguments(key: Any) -> None:
    with pytest.raises((Unkeyable, ValueError)):
        args_of(key)
