"""The envelope around an entry: compressed, encrypted and signed as the configuration says, never as the bytes say.

    "gv" version form flag length | payload | HMAC-SHA256 or CRC-32

The last part covers the key as well, so an entry that was copied to another key is not believed there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import zlib
from typing import Any

from galvo_cache.l2.errors import Rejected

MAGIC = b"gv"
HEAD = 9
"""Magic 2, version and form 2, flag 1, length of the payload 4."""
PLAIN, COMPRESSED = b"\x00", b"\x01"
COMPRESS_FROM = 1024
NONCE, TAG, DIGEST, CHECKSUM = 12, 16, 32, 4
OVERHEAD = HEAD + NONCE + TAG + DIGEST
"""Bytes that the envelope adds at most."""
KEY_BYTES = 32


class Seal:
    """Closes and opens envelopes. What is not closed by the same configuration is not opened."""

    def __init__(
        self,
        mark: bytes,
        *,
        max_bytes: int = 2**20,
        compress: bool = False,
        signing_key: bytes | None = None,
        encryption_key: bytes | None = None,
    ) -> None:
        """`mark`: version and form of what is inside, two bytes. `max_bytes`: of an entry before compression.

        `signing_key` and `encryption_key` are 32 bytes (see `key_of`); the cipher is AES-256-GCM (NIST SP 800-38D)
        with a random nonce, so one key is good for about 2**32 entries. Raises ValueError for unusable keys.
        """
        if signing_key is not None and len(signing_key) != KEY_BYTES:
            raise ValueError(f"the cache's signing key must have {KEY_BYTES} bytes")
        self._mark, self._max_bytes, self._compress = MAGIC + mark, max_bytes, compress
        self._signing_key = signing_key
        self._cipher: Any = None if encryption_key is None else _cipher(encryption_key)
        self._tail = CHECKSUM if signing_key is None else DIGEST

    def close(self, key: bytes, data: bytes) -> bytes:
        """Raises Rejected("too_large")."""
        if len(data) > self._max_bytes:
            raise Rejected("too_large")
        flag = PLAIN
        if self._compress and len(data) > COMPRESS_FROM:
            smaller = zlib.compress(data, 1)
            if len(smaller) < len(data):
                data, flag = smaller, COMPRESSED
        if self._cipher is not None:
            nonce = os.urandom(NONCE)
            data = nonce + self._cipher.encrypt(nonce, data, self._bound(key, flag))
        sealed = self._mark + flag + len(data).to_bytes(4, "big") + data
        return sealed + self._check(key, sealed)

    def open(self, key: bytes, sealed: bytes) -> bytes:
        """What `close` was given for this key. Raises Rejected, and nothing else."""
        if len(sealed) > self._max_bytes + OVERHEAD:
            raise Rejected("too_large")
        if sealed[:2] != MAGIC[: len(sealed)]:
            raise Rejected("foreign")
        if len(sealed) < HEAD + self._tail:
            raise Rejected("truncated")
        if sealed[:4] != self._mark:
            raise Rejected("codec_version")
        body = len(sealed) - self._tail
        if body - HEAD != int.from_bytes(sealed[5:HEAD], "big"):
            raise Rejected("truncated" if body - HEAD < int.from_bytes(sealed[5:HEAD], "big") else "garbage")
        if not hmac.compare_digest(self._check(key, sealed[:body]), sealed[body:]):
            raise Rejected("garbage" if self._signing_key is None else "forged")
        flag, data = sealed[4:5], sealed[HEAD:body]
        if self._cipher is not None:
            data = self._decrypted(key, flag, data)
        if flag == COMPRESSED:
            data = self._decompressed(data)
        elif flag != PLAIN:
            raise Rejected("garbage")
        return data

    def _check(self, key: bytes, sealed: bytes) -> bytes:
        if self._signing_key is None:
            return zlib.crc32(sealed, zlib.crc32(key)).to_bytes(CHECKSUM, "big")
        # The length keeps (key, value) apart from (longer key, shorter value).
        return hmac.digest(self._signing_key, len(key).to_bytes(4, "big") + key + sealed, hashlib.sha256)

    def _bound(self, key: bytes, flag: bytes) -> bytes:
        return self._mark + flag + key

    def _decrypted(self, key: bytes, flag: bytes, data: bytes) -> bytes:
        try:
            plain: bytes = self._cipher.decrypt(data[:NONCE], data[NONCE:], self._bound(key, flag))
        except Exception:  # noqa: BLE001  # InvalidTag, a payload shorter than a nonce
            raise Rejected("forged") from None
        return plain

    def _decompressed(self, data: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        try:
            plain = unpacker.decompress(data, self._max_bytes + 1)
        except zlib.error:
            raise Rejected("garbage") from None
        if len(plain) > self._max_bytes:
            raise Rejected("bomb")
        if not unpacker.eof:
            raise Rejected("truncated")
        if unpacker.unused_data:
            raise Rejected("garbage")
        return plain


def key_of(text: str, what: str = "key") -> bytes:
    """The 32 bytes that `text` holds as base64 (`openssl rand -base64 32`). Raises ValueError without the text."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"the cache's {what} must be {KEY_BYTES} bytes in base64: openssl rand -base64 {KEY_BYTES}")
    return key


def _cipher(key: bytes) -> Any:
    if len(key) != KEY_BYTES:
        raise ValueError(f"the cache's encryption key must have {KEY_BYTES} bytes")
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise ValueError("encryption of the cache needs one package more: galvo-cache[encryption]") from None
    return AESGCM(key)
