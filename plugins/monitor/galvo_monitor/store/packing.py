"""Records as bytes, made and read in small pieces: msgspec holds the interpreter's lock for a whole piece, and the
event loop waits for it even when that is done in another thread."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from galvo import Metric
from galvo_monitor.cells import Snapshot
from galvo_monitor.store.records import Departed, Record
from galvo_monitor.store.seal import Rejected

PIECE: Final = 32
"""Series of a kind: about a millisecond."""
LARGEST: Final = 16 << 20
"""Bytes, before they are compressed: of more only so many are read, and are no record."""


class Packed(msgspec.Struct, frozen=True, array_like=True):
    number: int
    folded: dict[str, int]
    parts: list[list[msgspec.Raw]]


def pack(value: Record | Departed) -> bytes:
    if isinstance(value, Record):
        packed = Packed(value.number, {}, [_pieces(value.now), _pieces(value.before)])
    else:
        packed = Packed(value.version, value.folded, [_pieces(value.total)])
    return zlib.compress(msgspec.msgpack.encode(packed), 1)


def record_of(data: bytes) -> Record:
    """Raises Rejected."""
    number, _, (now, before) = _unpacked(data, 2)
    if now is None:
        raise Rejected("a record of nothing")
    return Record(number, now, before)


def departed_of(data: bytes) -> Departed:
    """Raises Rejected."""
    version, folded, (total,) = _unpacked(data, 1)
    return Departed(version, folded, total)


def _unpacked(data: bytes, parts: int) -> tuple[int, dict[str, int], list[Snapshot | None]]:
    unpacker = zlib.decompressobj()
    try:
        packed = msgspec.msgpack.decode(unpacker.decompress(data, LARGEST), type=Packed)
        snapshots = [_whole(part) for part in packed.parts]
    except (zlib.error, msgspec.DecodeError) as error:
        raise Rejected(f"{type(error).__name__}: {error}") from None
    if len(snapshots) != parts:
        raise Rejected(f"{len(snapshots)} parts, not {parts}")
    return packed.number, packed.folded, snapshots


def _pieces(snapshot: Snapshot | None) -> list[msgspec.Raw]:
    return [] if snapshot is None else [msgspec.Raw(msgspec.msgpack.encode(piece)) for piece in _cut(snapshot)]


def _cut(snapshot: Snapshot) -> Iterator[Snapshot]:
    longest = max(len(snapshot.counters), len(snapshot.gauges), len(snapshot.histograms), 1)
    for begin in range(0, longest, PIECE):
        piece = slice(begin, begin + PIECE)
        yield msgspec.structs.replace(
            snapshot,
            counters=snapshot.counters[piece],
            gauges=snapshot.gauges[piece],
            histograms=snapshot.histograms[piece],
        )


def _whole(pieces: list[msgspec.Raw]) -> Snapshot | None:
    if not pieces:
        return None
    cut = [msgspec.msgpack.decode(piece, type=Snapshot) for piece in pieces]
    return msgspec.structs.replace(
        cut[0],
        counters=[(_one(metric), value) for piece in cut for metric, value in piece.counters],
        gauges=[(_one(metric), value) for piece in cut for metric, value in piece.gauges],
        histograms=[(_one(metric), buckets) for piece in cut for metric, buckets in piece.histograms],
    )


@lru_cache(maxsize=4096)
def _one(metric: Metric) -> Metric:
    """The same object for equal ones: else each process's records would hold their own for the collector to visit."""
    return metric
