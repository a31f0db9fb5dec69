"""The envelope around what processes tell each other through Redis: signed, because others may write there, too.

    "gm" version | payload | HMAC-SHA256

The last part covers the key as well, so what was copied to another key is not believed there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from galvo_monitor.errors import MonitorProblem

MAGIC: Final = b"gm\x01"
DIGEST: Final = 32
KEY_BYTES: Final = 32


class Rejected(MonitorProblem):
    """It was not closed with this key, or not whole."""


class Seal:
    def __init__(self, key: bytes, *, max_bytes: int) -> None:
        """`key`: 32 bytes, see `key_of`. `max_bytes`: of what is sealed, with the envelope."""
        self.key = key
        self.max_bytes = max_bytes

    def close(self, name: bytes, data: bytes) -> bytes:
        """`name`: the key in Redis. Raises Rejected for what is too large."""
        sealed = MAGIC + data
        if len(sealed) + DIGEST > self.max_bytes:
            raise Rejected(f"{len(data)} bytes are more than the {self.max_bytes} that processes may tell each other")
        return sealed + self._sign(name, sealed)

    def open(self, name: bytes, sealed: bytes) -> bytes:
        """Raises Rejected, and nothing else."""
        if sealed[: len(MAGIC)] != MAGIC or not len(MAGIC) + DIGEST <= len(sealed) <= self.max_bytes:
            raise Rejected("not an envelope of galvo's monitor")
        if not hmac.compare_digest(self._sign(name, sealed[:-DIGEST]), sealed[-DIGEST:]):
            raise Rejected("signed with another key, or changed")
        return sealed[len(MAGIC) : -DIGEST]

    def _sign(self, name: bytes, sealed: bytes) -> bytes:
        # The length keeps (name, data) apart from (longer name, shorter data).
        return hmac.digest(self.key, len(name).to_bytes(4, "big") + name + sealed, hashlib.sha256)


def key_of(text: str) -> bytes:
    """The 32 bytes that `text` holds as base64. Raises MonitorProblem."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise MonitorProblem(
            f"signing_key under [monitor] must be {KEY_BYTES} bytes in base64 when redis is set, the same in all "
            f"processes: openssl rand -base64 {KEY_BYTES}"
        )
    return key
