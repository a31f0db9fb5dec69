"""Answers survive the way to bytes and back exactly, or are refused."""

# ruff: noqa: DTZ001, DTZ901  # naive moments are values too

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo import Row, Rows
from galvo_cache.l2.codec import Codec
from galvo_cache.l2.entry import Stored
from galvo_cache.l2.errors import Rejected, Unencodable
from galvo_cache.l2.kinds import Form
from galvo_cache.l2.layout import COLUMNS, EMPTY_ROWS
from tests.thorough import examples

FORMS: tuple[Form, ...] = ("msgpack", "json", "pickle")
CODECS = {form: Codec(form, signed=True) for form in FORMS}
every_form = pytest.mark.parametrize("form", FORMS)
UTC = dt.UTC
MINUTES = st.integers(-1439, 1439).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))


def unfolded(moments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """PostgreSQL knows no folds; they are refused."""
    return moments.map(lambda moment: moment.replace(fold=0))


SCALARS: list[st.SearchStrategy[Any]] = [
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(st.characters(exclude_categories=("Cs",))),
    st.binary(),
    st.decimals(allow_nan=False),
    unfolded(st.datetimes()),
    unfolded(st.datetimes(timezones=st.just(UTC))),
    unfolded(st.datetimes(min_value=dt.datetime(2, 1, 1), max_value=dt.datetime(9998, 1, 1), timezones=MINUTES)),
    st.dates(),
    unfolded(st.times()),
    unfolded(st.times(timezones=MINUTES)),
    st.timedeltas(),
    st.uuids(),
    st.ip_addresses(),
    st.ip_addresses().map(ipaddress.ip_interface),
    st.ip_addresses().map(ipaddress.ip_network),
]


def column(scalar: st.SearchStrategy[Any], rows: int) -> st.SearchStrategy[list[Any]]:
    optional = scalar | st.none()
    one = st.lists(optional, max_size=3)
    cell = st.one_of(st.just(optional), st.just(one | st.none()), st.just(st.lists(one, max_size=3)))
    return cell.flatmap(lambda cells: st.lists(cells, min_size=rows, max_size=rows))


@st.composite
def answers(draw: st.DrawFn) -> Rows:
    rows = draw(st.integers(0, 4))
    names = draw(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=20), max_size=5))
    columns = [draw(column(draw(st.sampled_from(SCALARS)), rows)) for _ in names]
    return Rows([Row(names, [column[number] for column in columns]) for number in range(rows)], draw(st.text("ab 1")))


def stored(rows: Rows) -> Stored:
    return Stored(rows, (b"s", b""), 1.25, 0.5, 60.0, b"e")


def there_and_back(rows: Rows, form: Form) -> Rows:
    codec = CODECS[form]
    back = codec.stored(codec.entry(codec.encode(stored(rows))))
    assert back._replace(rows=rows) == stored(rows)
    return back.rows


def exact(value: Any) -> Any:
    """What makes two values the same: type, text, offset, sign of zero, NaN."""
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, uuid.UUID):
        return uuid.UUID, str(value)
    return type(value), repr(value)


def same(left: Rows, right: Rows) -> bool:
    return left.status == right.status and [
        [(name, exact(value)) for name, value in zip(row.keys(), row, strict=True)] for row in left.records
    ] == [[(name, exact(value)) for name, value in zip(row.keys(), row, strict=True)] for row in right.records]


@every_form
@settings(max_examples=examples(150), deadline=None)
@given(rows=answers())
def test_every_answer_comes_back_exactly(form: Form, rows: Rows) -> None:
    assert same(there_and_back(rows, form), rows)


EDGES: dict[str, list[Any]] = {
    "decimals": [Decimal("1.00"), Decimal("1E+3"), Decimal("NaN"), Decimal("-Infinity"), Decimal("-0.0"), None],
    "floats": [-0.0, 0.0, math.nan, math.inf, -math.inf, 5e-324, None],
    "float arrays": [[-0.0, None, math.nan], [], None, [math.inf]],
    "integers": [2**63 - 1, -(2**63), 0, None],
    "moments": [dt.datetime.max.replace(tzinfo=UTC), dt.datetime.min.replace(tzinfo=UTC), None],
    "naive moments": [dt.datetime.max, dt.datetime.min, dt.datetime(2024, 1, 1, 0, 0, 0, 1)],
    "dates": [dt.date.max, dt.date.min],
    "times": [dt.time(23, 59, 59, 999999), dt.time(0), dt.time(1, tzinfo=dt.timezone(dt.timedelta(hours=-12)))],
    "durations": [dt.timedelta.max, dt.timedelta.min, dt.timedelta(microseconds=-1)],
    "nothing": [None, None],
    "booleans": [True, False, None],
    "bytes": [b"", b"\x00\xff", None],
    "text": ["", "\x00", "😀", None, '{"a": 1}'],
    "matrices": [[[1, 2], [3, None]], [], None],
    "arrays of nothing": [[None], [], None],
    "addresses": [
        ipaddress.ip_address("::1"),
        ipaddress.ip_interface("10.0.0.1/8"),
        ipaddress.ip_network("10.0.0.0/8"),
    ],
}


@every_form
@pytest.mark.parametrize("name", EDGES)
def test_edges(form: Form, name: str) -> None:
    rows = Rows([Row(("a",), (value,)) for value in EDGES[name]])
    assert same(there_and_back(rows, form), rows)


@every_form
def test_shapes(form: Form) -> None:
    for rows in (
        Rows(),
        Rows([], "SELECT 0"),
        Rows([Row((), ())] * 3),
        Rows([Row(("a", "a"), (1, "x"))]),
        Rows([Row([f"c{number}" for number in range(COLUMNS)], range(COLUMNS))]),
    ):
        assert same(there_and_back(rows, form), rows)
    for values in ([7, None], [[1, 2], []], ["x"], [None]):
        assert there_and_back(Rows(values), form) == Rows(values)
    back = there_and_back(Rows([Row(("a", "a"), (1, 2))]), form)
    assert (back.records[0]["a"], back.records[0][0]) == (2, 1)


REFUSED: dict[str, Any] = {
    "an object": object(),
    "a range": asyncpg.Range(1, 2),
    "a box": asyncpg.Box((1, 2), (3, 4)),
    "a dict": {"a": 1},
    "a long integer": 10**5000,
    "half a pair": "\ud800",
    "seven dimensions": [[[[[[[1]]]]]]],
    "an offset with seconds": dt.time(1, tzinfo=dt.timezone(dt.timedelta(seconds=1))),
    "a class of str": type("Name", (str,), {})("x"),
    "a fold": dt.datetime(2024, 1, 1, fold=1),
    "a named zone": dt.datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Paris")),
    "a tuple": (1, 2),
    "mixed": [1, "x"],
}


@pytest.mark.parametrize("form", ["msgpack", "json"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_exact_form_is_refused_without_its_value(form: Form, name: str) -> None:
    with pytest.raises(Unencodable) as caught:
        CODECS[form].encode(stored(Rows([Row(("a",), (REFUSED[name],))])))
    assert len(str(caught.value)) < 70
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "records",
    [
        [Row(("a",), (1,)), 1],
        [{"a": 1}],
        [Row(("a",), (1,)), Row(("b",), (1,))],
        [Row(("a",), (1,)), Row(("a",), ("x",))],
        [Row(["a"] * (COLUMNS + 1), range(COLUMNS + 1))],
    ],
)
def test_what_is_not_rows_of_one_shape_is_refused(records: list[Any]) -> None:
    with pytest.raises(Unencodable):
        CODECS["msgpack"].encode(stored(Rows(records)))
    with pytest.raises(Unencodable):
        CODECS["msgpack"].encode(stored(Rows([Row((), ())] * (EMPTY_ROWS + 1))))


@pytest.mark.anyio
@every_form
async def test_what_postgresql_gives(form: Form, dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        records = await connection.fetch(
            """select n as id, n::int2 as small, (n * 1.50)::numeric(10, 2) as price, 'NaN'::numeric as nan,
            n::float4 / 3 as narrow, 'infinity'::timestamptz as ever, now() as at, now()::timestamp as naive,
            current_date as day, '12:30:00.000001+05:30'::timetz as zoned,
            interval '1 mon -3 days 00:00:00.000001' as span,
            gen_random_uuid() as id2, array[[1, null], [2, 3]] as matrix, '{}'::text[] as none,
            '10.1.0.0/16'::cidr as net,
            '10.1.2.3/16'::inet as host, '{"a": [1]}'::jsonb as doc, null::int as gone, n % 2 = 0 as even,
            '\\x00ff'::bytea as raw, array[now(), null] as times from generate_series(1, 5) n"""
        )
    finally:
        await connection.close()
    rows = Rows(records)
    assert same(there_and_back(rows, form), rows)


def test_integers_beyond_64_bits_are_exact_or_refused() -> None:
    rows = Rows([Row(("a",), (2**64,)), Row(("a",), (-(2**100),))])
    assert same(there_and_back(rows, "json"), rows)
    with pytest.raises(Unencodable, match="OverflowError"):
        CODECS["msgpack"].encode(stored(rows))


def test_pickle_needs_a_signature() -> None:
    with pytest.raises(ValueError, match="signing key"):
        Codec("pickle")
    with pytest.raises(ValueError, match="msgpack, json or pickle"):
        Codec("yaml")  # type: ignore[arg-type]


def forged(change: Callable[[list[Any]], None]) -> bytes:
    """A valid entry of two rows, as lists, changed."""
    parts = msgspec.msgpack.decode(CODECS["msgpack"].encode(stored(Rows([Row(("a", "b"), (1, "x"))] * 2))))
    change(parts)
    return msgspec.msgpack.encode(parts)


def put(position: int, value: Any) -> Callable[[list[Any]], None]:
    return lambda parts: parts.__setitem__(position, value)


FORGERIES: dict[str, Callable[[list[Any]], None]] = {
    "a count that is too small": put(6, 1),
    "a count that is too large": put(6, 3),
    "a negative count": put(6, -1),
    "rows without columns without end": lambda parts: parts.__setitem__(slice(6, 9), [2**62, [[], []], []]),
    "an unknown kind": put(7, [["a", "b"], ["i", "!"]]),
    "a kind too deep": put(7, [["a", "b"], ["i", "[[[[[[[s"]]),
    "fewer kinds than names": put(7, [["a", "b"], ["i"]]),
    "too many columns": put(7, [["a"] * 2000, ["i"] * 2000]),
    "a long name": put(7, [["a", "b" * 1000], ["i", "s"]]),
    "columns of two lengths": put(8, [[1, 1], ["x"]]),
    "a value of another kind": put(8, [[1, 1], ["x", 2]]),
    "a missing column": put(8, [[1, 1]]),
    "a column more": put(8, [[1, 1], ["x", "x"], [1, 1]]),
    "a time that is no number": put(2, math.nan),
    "no stamps": put(1, None),
    "a body that is nothing": put(8, None),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_was_not_written_by_us_is_garbage(name: str) -> None:
    codec = CODECS["msgpack"]
    with pytest.raises(Rejected) as caught:
        codec.stored(codec.entry(forged(FORGERIES[name])))
    assert caught.value.reason == "garbage"
    assert codec.stored(codec.entry(forged(lambda parts: None)))


@every_form
@settings(max_examples=examples(300), deadline=None)
@given(data=st.binary(max_size=200))
def test_random_bytes_are_garbage(form: Form, data: bytes) -> None:
    try:
        entry = CODECS[form].entry(data)
        if form != "pickle":  # those bytes are signed
            CODECS[form].stored(entry)
    except Rejected as rejected:
        assert rejected.reason == "garbage"  # noqa: PT017  # anything else is the failure


@settings(max_examples=examples(300), deadline=None)
@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
def test_any_changed_byte_is_read_or_rejected(position: int, value: int) -> None:
    codec = CODECS["msgpack"]
    data = bytearray(forged(lambda parts: None))
    data[position % len(data)] = value
    try:
        codec.stored(codec.entry(bytes(data)))
    except Rejected as rejected:
        assert rejected.reason == "garbage"  # noqa: PT017


@pytest.mark.parametrize("data", [b"\x91" * 100_000, b"\xdf\xff\xff\xff\xff", b"\x99" + b"\x91" * 100_000])
def test_deep_or_huge_structures_are_garbage(data: bytes) -> None:
    with pytest.raises(Rejected, match="garbage"):
        CODECS["msgpack"].entry(data)
