"""Which columns an answer has, and the decoder made for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from galvo import Row
from galvo_cache.l2.errors import Unencodable
from galvo_cache.l2.kinds import restored, type_of

COLUMNS = 1664
"""PostgreSQL's own limit (MaxTupleAttributeNumber)."""
HEADER_BYTES = 2**18
NAME_CHARS = 256
EMPTY_ROWS = 2**16
"""Rows without columns: they cost no bytes, so a forged number of them would be an allocation without bound."""


class Header(msgspec.Struct, array_like=True, frozen=True):
    """Names and kinds of the columns, in order. From the network, so nothing in it is believed."""

    names: tuple[str, ...] | None
    """None for plain values, as computed ones are."""
    codes: tuple[str, ...]


class Layout:
    """Decodes the answers of one header."""

    __slots__ = ("_codes", "_decode", "_index", "_names", "_plain")

    def __init__(self, header: Header, protocol: Any) -> None:
        """`protocol`: msgspec.msgpack or msgspec.json. Raises ValueError for what `encode` would not have written."""
        self._plain = header.names is None
        names = header.names or ()
        if len(header.codes) != (1 if self._plain else len(names)) or len(names) > COLUMNS:
            raise ValueError("not as many names as kinds, or too many")
        if any(len(name) > NAME_CHARS for name in names):
            raise ValueError("a name is too long")
        kinds = tuple(type_of(code) for code in header.codes)
        self._names = names
        self._index = {name: position for position, name in enumerate(names)}
        # The few kinds whose values need a second look, by position.
        self._codes = [(position, code) for position, code in enumerate(header.codes) if code[-1] in "ax"]
        self._decode = protocol.Decoder(tuple[kinds]).decode  # type: ignore[valid-type]

    def records(self, body: Any, count: int) -> Sequence[Any]:
        """The answer's records. Raises ValueError or msgspec's own errors for what does not fit."""
        columns = self._decode(body)
        if self._codes:
            columns = list(columns)
            for position, code in self._codes:
                columns[position] = restored(code, columns[position])
        return self.assembled(columns, count)

    def assembled(self, columns: Sequence[Any], count: int) -> Sequence[Any]:
        """The records of columns that are decoded already."""
        if self._plain:
            made = list(columns[0])
        elif columns:
            made = self._rows(zip(*columns, strict=True))
        elif 0 <= count <= EMPTY_ROWS:
            made = self._rows([()] * count)
        else:
            raise ValueError("an impossible number of rows")
        if len(made) != count:
            raise ValueError("another number of rows than announced")
        return made

    def _rows(self, values: Iterable[Sequence[Any]]) -> list[Row]:
        names, index, new = self._names, self._index, tuple.__new__
        rows: list[Row] = []
        for cells in values:
            row = new(Row, cells)
            row._keys = names  # what Row's constructor does, without an index for each row
            row._index = index
            rows.append(row)
        return rows


def table(records: Sequence[Any]) -> tuple[tuple[str, ...] | None, list[tuple[Any, ...]]]:
    """Names and values by column. Raises Unencodable for rows of several shapes."""
    if not records:
        return (), []
    if not any(map(_is_record, records)):
        return None, [tuple(records)]
    names = tuple(records[0].keys()) if _is_record(records[0]) else ()
    for record in records:
        if not _is_record(record) or tuple(record.keys()) != names:
            raise Unencodable("the answer is not rows of one shape")
    if len(names) > COLUMNS or any(len(name) > NAME_CHARS for name in names):
        raise Unencodable("too many columns")
    if not names and len(records) > EMPTY_ROWS:
        raise Unencodable("too many rows without columns")
    return names, list(zip(*(tuple(record.values()) for record in records), strict=True))


def _is_record(value: Any) -> bool:
    """asyncpg's Record, without importing asyncpg."""
    kind = type(value)
    return kind is Row or (kind.__name__ == "Record" and kind.__module__.startswith("asyncpg"))
