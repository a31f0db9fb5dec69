"""What processes tell each other through Redis: msgpack arrays, typed, bounded in size.

A frame is built by a script inside Redis around a body: only the server can say in which epoch and in which order
something was said. Acknowledgements go from process to process without a frame.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from galvo_cache.touch import Lanes, Touch

MAX_BYTES = 256 * 1024
MAX_TOKENS = 512
"""Tokens of one lane that are sent one by one; of more, the whole lane is meant."""
MAX_ANNOUNCED = 64 * 1024

MemberId = Annotated[bytes, Meta(min_length=6, max_length=6)]
MarkId = Annotated[bytes, Meta(min_length=12, max_length=12)]
"""The member's id and its count of marks. It is also the stamp of every field that the mark renews."""


class Announce(msgspec.Struct, tag="a", array_like=True, frozen=True):
    """A write is about to be sent. `touch` None is everything."""

    id: MarkId
    touch: dict[int, dict[str, list[int] | None] | None] | None


class End(msgspec.Struct, tag="e", array_like=True, frozen=True):
    """These writes have ended."""

    ids: list[MarkId]


class Leave(msgspec.Struct, tag="l", array_like=True, frozen=True):
    """A member has no lease any more and will not acknowledge anything."""

    member: MemberId


class Pulse(msgspec.Struct, tag="p", array_like=True, frozen=True):
    """What a member said to itself comes back: everything said before it has been read."""

    nonce: int


class Stamped(msgspec.Struct, tag="s", array_like=True, frozen=True):
    """The stamps that a member asked for, 12 bytes each, as they are at this place in the stream."""

    request: int
    stamps: bytes


class Frame(msgspec.Struct, tag="f", array_like=True, frozen=True):
    """`number` counts what was told to all in this `epoch`; `grace` is how long it is too young, in ms."""

    epoch: MarkId
    number: int
    grace: int
    body: Announce | End | Leave | Pulse | Stamped


class Ack(msgspec.Struct, tag="k", array_like=True, frozen=True):
    """`member` serves and stores nothing that these writes touch."""

    member: MemberId
    ids: list[MarkId]


_decoder: msgspec.msgpack.Decoder[Frame | Ack] = msgspec.msgpack.Decoder(Frame | Ack)
_encoder = msgspec.msgpack.Encoder()


def encode(message: Announce | Pulse | Ack) -> bytes:
    return _encoder.encode(message)


def decode(data: bytes) -> Frame | Ack:
    """Raises ValueError for anything that is not ours."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"a message of {len(data)} bytes")
    return _decoder.decode(data)


def head_of_stamped(request: int) -> bytes:
    """The beginning of a `Stamped`; the script adds the stamps."""
    return b"\x93\xa1s" + _encoder.encode(request)


def announcement(id: bytes, touch: Touch | None) -> tuple[Announce, bytes]:
    """The message for `touch`, made coarser until it is small enough, and its bytes."""
    if touch is not None:
        for smaller in ({table: _coarser(lanes) for table, lanes in touch.items()}, dict.fromkeys(touch)):
            said = Announce(id, smaller)
            if len(data := encode(said)) <= MAX_ANNOUNCED:
                return said, data
    said = Announce(id, None)
    return said, encode(said)


def _coarser(lanes: Lanes | None) -> Lanes | None:
    if lanes is None:
        return None
    return {lane: None if tokens is None or len(tokens) > MAX_TOKENS else tokens for lane, tokens in lanes.items()}
