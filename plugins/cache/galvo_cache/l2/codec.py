"""Answers to bytes and back, typed by column: the decoder is made for the kinds that the header names.

By column, because then a row costs the decoder nothing but its values. Source of the idea: msgspec's typed decoding,
measured in research/caching.md, 3.3.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import isfinite
from typing import Any

import msgspec

from galvo import Rows
from galvo_cache.l2.entry import Stamps, Stored
from galvo_cache.l2.errors import Rejected, Unencodable
from galvo_cache.l2.kinds import NOTHING, Form, column
from galvo_cache.l2.layout import HEADER_BYTES, Header, Layout, table

VERSION = 1
"""Another version's entries are misses."""
LAYOUTS = 256
"""Shapes of answers whose decoders are kept."""
_LETTERS: dict[Form, bytes] = {"msgpack": b"m", "json": b"j", "pickle": b"p"}


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """The bytes within the seal; rows are decoded only when the stamps are right."""

    epoch: bytes
    stamps: Stamps
    created: float
    cost: float
    ttl: float
    status: str
    count: int
    header: msgspec.Raw
    body: msgspec.Raw


class Codec:
    """Writes and reads entries in one form. Not thread-safe."""

    def __init__(self, form: Form = "msgpack", *, signed: bool = False) -> None:
        """`signed` says that only bytes with a valid signature reach `entry` and `stored`.

        Raises ValueError for a form that does not exist, and for pickle without a signature: it can execute code.
        """
        if form not in _LETTERS:
            raise ValueError(f"the cache's codec must be msgpack, json or pickle, not {form!r}")
        if form == "pickle" and not signed:
            raise ValueError("the cache's codec may be pickle only with a signing key: pickle can execute code")
        self.form: Form = form
        self.mark = bytes([VERSION]) + _LETTERS[form]
        """Version and form: entries with another mark are not read."""
        protocol: Any = msgspec.json if form == "json" else msgspec.msgpack
        self._encode: Callable[[Any], bytes] = protocol.Encoder().encode
        self._decode_entry: Callable[[bytes], Entry] = protocol.Decoder(Entry).decode
        decode_header: Callable[[bytes], Header] = protocol.Decoder(Header).decode
        self._layout = lru_cache(LAYOUTS)(lambda header: Layout(decode_header(header), protocol))

    def encode(self, stored: Stored) -> bytes:
        """Raises Unencodable if the answer would not come back exactly as it is."""
        if not (isfinite(stored.created) and isfinite(stored.cost) and isfinite(stored.ttl)):
            raise Unencodable("a time that is not a number")
        try:
            names, columns = table(stored.rows.records)
            codes, body = self._packed(names, columns)
            header = self._encode(Header(names, codes))
            if len(header) > HEADER_BYTES:
                raise Unencodable("names of columns that are too long")
            return self._encode(
                Entry(
                    stored.epoch,
                    stored.stamps,
                    stored.created,
                    stored.cost,
                    stored.ttl,
                    stored.rows.status,
                    len(stored.rows.records),
                    msgspec.Raw(header),
                    msgspec.Raw(body),
                )
            )
        except Unencodable:
            raise
        except Exception as error:  # noqa: BLE001  # integers of more than 64 bits, half of a surrogate pair, ...
            # The texts of these errors hold values.
            raise Unencodable(f"a value that has no exact form ({type(error).__name__})") from None

    def entry(self, data: bytes) -> Entry:
        """What is within the seal, the rows still encoded. Raises Rejected."""
        try:
            entry = self._decode_entry(data)
        except Exception:  # noqa: BLE001  # bytes from the network: RecursionError, MemoryError, ...
            raise Rejected("garbage") from None
        if not (isfinite(entry.created) and isfinite(entry.cost) and isfinite(entry.ttl)):
            raise Rejected("garbage")
        return entry

    def stored(self, entry: Entry) -> Stored:
        """The answer. Raises Rejected."""
        try:
            header = bytes(entry.header)
            if len(header) > HEADER_BYTES:
                raise Rejected("garbage")
            records = self._records(self._layout(header), entry)
        except Exception:  # noqa: BLE001  # see above
            raise Rejected("garbage") from None
        return Stored(Rows(records, entry.status), entry.stamps, entry.created, entry.cost, entry.ttl, entry.epoch)

    def _packed(self, names: tuple[str, ...] | None, columns: list[tuple[Any, ...]]) -> tuple[tuple[str, ...], bytes]:
        """The kinds of the columns, and the columns."""
        if self.form == "pickle":
            return (NOTHING,) * (1 if names is None else len(names)), self._encode(pickle.dumps(columns, 5))
        kinds = [column(values, self.form) for values in columns]
        return tuple(kind.code for kind in kinds), self._encode([kind.values for kind in kinds])

    def _records(self, layout: Layout, entry: Entry) -> Sequence[Any]:
        if self.form != "pickle":
            return layout.records(entry.body, entry.count)
        columns = pickle.loads(msgspec.msgpack.decode(entry.body, type=bytes))  # noqa: S301  # signed, see __init__
        return layout.assembled(columns, entry.count)
