"""Nothing gets through the seal that was not closed by the same configuration for the same key."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_cache.l2.errors import Rejected
from galvo_cache.l2.seal import HEAD, OVERHEAD, Seal, key_of

MARK = b"\x01m"
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
SEALS = {
    "plain": Seal(MARK),
    "compressed": Seal(MARK, compress=True),
    "signed": Seal(MARK, signing_key=KEY),
    "encrypted": Seal(MARK, encryption_key=KEY),
    "everything": Seal(MARK, compress=True, signing_key=KEY, encryption_key=OTHER),
}
DATA = b"a long value " * 200
every_seal = pytest.mark.parametrize("name", SEALS)


def reason(seal: Seal, key: bytes, sealed: bytes) -> str:
    with pytest.raises(Rejected) as caught:
        seal.open(key, sealed)
    return caught.value.reason


@every_seal
@pytest.mark.parametrize("data", [b"", b"x", DATA, os.urandom(5000)])
def test_there_and_back(name: str, data: bytes) -> None:
    sealed = SEALS[name].close(b"k", data)
    assert SEALS[name].open(b"k", sealed) == data
    assert len(sealed) <= len(data) + OVERHEAD


def test_compression_and_encryption_do_what_they_say() -> None:
    assert len(SEALS["compressed"].close(b"k", DATA)) < 200
    assert b"long" in SEALS["plain"].close(b"k", DATA)
    assert b"long" not in SEALS["encrypted"].close(b"k", DATA)
    assert SEALS["encrypted"].close(b"k", DATA) != SEALS["encrypted"].close(b"k", DATA)


@every_seal
@settings(max_examples=200, deadline=None)
@given(position=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(name: str, position: int, bit: int) -> None:
    sealed = bytearray(SEALS[name].close(b"k", DATA))
    sealed[position % len(sealed)] ^= 1 << bit
    reason(SEALS[name], b"k", bytes(sealed))


@every_seal
def test_every_truncation_is_noticed(name: str) -> None:
    sealed = SEALS[name].close(b"k", b"short")
    reasons = {reason(SEALS[name], b"k", sealed[:length]) for length in range(len(sealed))}
    assert reasons == {"truncated"}
    assert reason(SEALS[name], b"k", sealed + b"x") == "garbage"


@every_seal
@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=100), ours=st.booleans())
def test_random_bytes_are_rejected(name: str, data: bytes, ours: bool) -> None:
    reason(SEALS[name], b"k", b"gv" + MARK + data if ours else data)


@every_seal
def test_an_entry_is_good_for_its_own_key_only(name: str) -> None:
    sealed = SEALS[name].close(b"k", DATA)
    expected = "garbage" if name in ("plain", "compressed", "encrypted") else "forged"
    assert reason(SEALS[name], b"k2", sealed) == expected


def test_key_and_value_cannot_trade_bytes() -> None:
    seal = SEALS["signed"]
    sealed = seal.close(b"gv", b"value")
    shifted = hmac.digest(KEY, b"gv" + sealed[:-32], hashlib.sha256)
    assert reason(seal, b"gv", sealed[:-32] + shifted) == "forged"


@pytest.mark.parametrize("name", SEALS)
@pytest.mark.parametrize("other", SEALS)
def test_the_configuration_decides_not_the_bytes(name: str, other: str) -> None:
    if {name, other} <= {"plain", "compressed"} or name == other:
        assert SEALS[name].open(b"k", SEALS[other].close(b"k", DATA)) == DATA
    else:
        got = None
        with contextlib.suppress(Rejected):
            got = SEALS[name].open(b"k", SEALS[other].close(b"k", DATA))
        # An unsigned configuration may believe unsigned bytes, but it never gets at what was encrypted.
        assert got != DATA


@pytest.mark.parametrize("setting", ["signing_key", "encryption_key"])
def test_another_key_is_a_forgery(setting: str) -> None:
    ours: Any = {setting: KEY}
    theirs: Any = {setting: OTHER}
    assert reason(Seal(MARK, **ours), b"k", Seal(MARK, **theirs).close(b"k", DATA)) == "forged"


def test_foreign_values_and_other_versions() -> None:
    seal = SEALS["plain"]
    for foreign in (b"hello", b"{}", b"\x80\x05K\x01.", b"x" * 1000):
        assert reason(seal, b"k", foreign) == "foreign"
    assert reason(seal, b"k", Seal(b"\x02m").close(b"k", DATA)) == "codec_version"
    assert reason(seal, b"k", Seal(b"\x01j").close(b"k", DATA)) == "codec_version"


def handmade(payload: bytes, flag: bytes = b"\x01") -> bytes:
    body = b"gv" + MARK + flag + len(payload).to_bytes(4, "big") + payload
    return body + zlib.crc32(body, zlib.crc32(b"k")).to_bytes(4, "big")


def test_a_decompression_bomb_is_not_unpacked() -> None:
    seal = Seal(MARK, max_bytes=100_000)
    bomb = zlib.compress(b"\x00" * 50_000_000, 9)
    assert len(bomb) < 100_000
    tracemalloc.start()
    assert reason(seal, b"k", handmade(bomb)) == "bomb"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    fits = zlib.compress(b"\x00" * 100_000)
    assert len(seal.open(b"k", handmade(fits))) == 100_000
    assert reason(seal, b"k", handmade(zlib.compress(b"\x00" * 100_001))) == "bomb"
    assert reason(seal, b"k", handmade(fits[:-1])) == "truncated"
    assert reason(seal, b"k", handmade(fits + b"x")) == "garbage"
    assert reason(seal, b"k", handmade(b"not zlib")) == "garbage"
    assert reason(seal, b"k", handmade(b"x", b"\x02")) == "garbage"


def test_too_large_both_ways() -> None:
    seal = Seal(MARK, max_bytes=1000)
    with pytest.raises(Rejected, match="too_large"):
        seal.close(b"k", b"x" * 1001)
    assert reason(seal, b"k", b"x" * (1000 + OVERHEAD + 1)) == "too_large"
    assert len(seal.close(b"k", b"x" * 1000)) == 1000 + HEAD + 4


def test_keys() -> None:
    text = base64.b64encode(KEY).decode()
    assert key_of(text) == KEY
    for wrong in ("secret-not-base64!", base64.b64encode(b"short").decode(), ""):
        with pytest.raises(ValueError, match="openssl rand") as caught:
            key_of(wrong, "signing key")
        assert not wrong or wrong not in str(caught.value)
    for setting in ("signing_key", "encryption_key"):
        given: Any = {setting: b"short"}
        with pytest.raises(ValueError, match="32 bytes"):
            Seal(MARK, **given)
