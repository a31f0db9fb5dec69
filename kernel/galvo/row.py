"""A row that no connection made: what a cache hands out when it cannot share asyncpg's own Record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any


class Row(tuple[Any, ...]):
    """Behaves like `asyncpg.Record`: index, key, slice, get, keys, values, items, in, ==, hash, repr."""

    _index: dict[str, int]

    def __new__(cls, keys: Sequence[str], values: Iterable[Any]) -> Row:
        """`keys` and `values` in column order; of two columns with one name the last wins, as in asyncpg."""
        row = super().__new__(cls, values)
        row._keys = tuple(keys)
        row._index = {key: position for position, key in enumerate(row._keys)}
        return row

    _keys: tuple[str, ...]

    def with_values(self, values: Iterable[Any]) -> Row:
        """A row of the same columns with other values."""
        row = super().__new__(type(self), values)
        row._keys = self._keys
        row._index = self._index
        return row

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, int | slice):
            return tuple.__getitem__(self, item)
        if isinstance(item, str):
            return tuple.__getitem__(self, self._index[item])
        raise KeyError(item)

    def __contains__(self, key: object) -> bool:
        return key in self._index

    def get(self, key: str, default: Any = None) -> Any:
        position = self._index.get(key)
        return default if position is None else tuple.__getitem__(self, position)

    def keys(self) -> Iterator[str]:
        return iter(self._keys)

    def values(self) -> Iterator[Any]:
        return iter(self)

    def items(self) -> Iterator[tuple[str, Any]]:
        return zip(self._keys, self, strict=True)

    def __repr__(self) -> str:
        cells = " ".join(f"{key}={value!r}" for key, value in self.items())
        return f"<Record {cells}>" if cells else "<Record>"
