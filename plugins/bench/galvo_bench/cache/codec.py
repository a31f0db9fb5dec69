"""Answers to bytes and back: what each cache puts into Redis."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import uuid
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import msgspec
from asyncpg import Record

from galvo import Rows
from galvo_bench.cache.sample import Plain, plain, sample
from galvo_bench.method.rounds import Candidate
from galvo_bench.results.model import Missing, Section, Values, inverted
from galvo_bench.running.peers import Lineup, attempt, need
from galvo_bench.running.stand import Stand, must
from galvo_cache.l2 import Stored
from galvo_cache.l2.codec import Codec as Typed

REPEATS = 400
COLUMNS: tuple[Callable[[Any], Any], ...] = (
    int, int, str, str, dt.datetime.fromisoformat, dt.datetime.fromisoformat, Decimal, uuid.UUID,
)  # fmt: skip
"""How JSON's values become those of the sample again."""


class Codec(msgspec.Struct, frozen=True):
    name: str
    encode: Callable[[], Awaitable[Any]]
    decode: Callable[[Any], Awaitable[Any]]


async def measure(stand: Stand) -> list[Section]:
    """Encode, decode, and how many bytes."""
    records = await sample(stand)
    rows = plain(records)
    codecs: list[Codec] = [_pickle(rows), _json(rows), _galvo(records)]
    missing: list[Missing] = []
    for name, make in (("cashews", _cashews), ("aiocache", _aiocache)):
        made = await attempt(f"{name} serializer", lambda make=make: make(rows))  # type: ignore[misc]
        (missing if isinstance(made, Missing) else codecs).append(made)  # type: ignore[arg-type]
    encoded = {codec.name: await codec.encode() for codec in codecs}
    for codec in codecs:
        decoded = [tuple(row) for row in await codec.decode(encoded[codec.name])]
        must(decoded == rows, f"{codec.name} does not give back what it was given")
    encoding = Lineup(*[Candidate(codec.name, codec.encode, REPEATS) for codec in codecs])
    decoding = Lineup(*[Candidate(codec.name, _decoding(codec, encoded[codec.name]), REPEATS) for codec in codecs])
    encoding.missing = decoding.missing = missing
    sizes = [Values(name, {"bytes": len(value)}) for name, value in encoded.items()]
    what = "20 rows of 8 columns (2 int, 2 text, 2 timestamptz, numeric, uuid)"
    types = "Peers get plain tuples without names. galvo: asyncpg records to rows with names, stamps included."
    return [
        Section("codec", f"Encode: {what}", types, inverted(await encoding.compare(stand, "wall")), "speed"),
        Section("codec", f"Decode: {what}", types, inverted(await decoding.compare(stand, "wall")), "speed"),
        Section("codec", f"Size: {what}", "What is sent to Redis.", [*sizes, *missing]),
    ]


def _decoding(codec: Codec, value: Any) -> Callable[[], Awaitable[Any]]:
    return lambda: codec.decode(value)


def _pickle(rows: Plain) -> Codec:
    async def encode() -> bytes:
        return pickle.dumps(rows, protocol=5)

    async def decode(value: bytes) -> Any:
        return pickle.loads(value)  # noqa: S301  # our own bytes

    return Codec("pickle 5 (dogpile)", encode, decode)


def _json(rows: Plain) -> Codec:
    async def encode() -> str:
        return json.dumps(rows, default=str, separators=(",", ":"))

    async def decode(value: str) -> Any:
        return [tuple([make(cell) for make, cell in zip(COLUMNS, row, strict=True)]) for row in json.loads(value)]

    return Codec("json and converters", encode, decode)


def _galvo(records: list[Record]) -> Codec:
    codec = Typed()
    stored = Stored(Rows(records), (b"twelve bytes",), 0.0, 0.001, 60.0, b"twelve bytes")

    async def encode() -> bytes:
        return codec.encode(stored)

    async def decode(value: bytes) -> Any:
        return codec.stored(codec.entry(value)).rows.records

    return Codec("galvo, typed msgpack", encode, decode)


async def _cashews(rows: Plain) -> Codec:
    serializer = need("cashews.serialize").DEFAULT_SERIALIZER
    return Codec(
        "cashews serializer",
        lambda: serializer.encode(None, "material", rows, 60),
        lambda value: serializer.decode(None, "material", value, None),
    )


async def _aiocache(rows: Plain) -> Codec:
    serializer = need("aiocache.serializers").PickleSerializer()

    async def encode() -> Any:
        return serializer.dumps(rows)

    async def decode(value: Any) -> Any:
        return serializer.loads(value)

    return Codec("aiocache PickleSerializer", encode, decode)
