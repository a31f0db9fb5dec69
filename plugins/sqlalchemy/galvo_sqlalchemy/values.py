"""What SQLAlchemy's asyncpg dialect has asyncpg decode by codecs of each connection.

Here connections are shared with others, so they stay as they are, and a cached answer keeps the text: each caller gets
values of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

Convert = Callable[[Any], Any]
JSON = (114, 3802, 199, 3807)
"""The OIDs of json, jsonb and their arrays."""
INET = (869, 650, 1041, 651)
"""The OIDs of inet, cidr and their arrays."""


def deep(convert: Convert) -> Convert:
    """`convert` for a value, or each value in an array of any depth; not for NULL."""

    def converted(value: Any) -> Any:
        if value is None:
            return None
        return [converted(item) for item in value] if type(value) is list else convert(value)

    return converted


class Values:
    """What becomes of the values of some types, by OID."""

    def __init__(self, json: Convert, *, native_inet: bool) -> None:
        self._by_type = dict.fromkeys(JSON, deep(json))
        if not native_inet:
            self._by_type |= dict.fromkeys(INET, deep(str))

    def of(self, types: Iterable[int]) -> Sequence[tuple[int, Convert]]:
        """The columns of these types that change, and how."""
        found = ((position, self._by_type.get(oid)) for position, oid in enumerate(types))
        return [(position, convert) for position, convert in found if convert is not None]


def converted(records: Sequence[Any], changes: Sequence[tuple[int, Convert]]) -> Sequence[Any]:
    """`records` with these columns changed."""
    if not changes:
        return records
    rows = [list(record) for record in records]
    for row in rows:
        for position, convert in changes:
            row[position] = convert(row[position])
    return [tuple(row) for row in rows]
