"""What can be wrong with Redis or with what it holds. None of these reaches a caller of the shelf."""

from __future__ import annotations

from typing import Literal

Reason = Literal["truncated", "foreign", "forged", "codec_version", "bomb", "garbage", "too_large"]
"""Why a value from Redis was not believed."""


class Rejected(Exception):
    """A value from Redis that does not check out: a miss."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Unencodable(Exception):
    """An answer that has no exact form in bytes: it stays in this process. Names a type, never a value."""


class Unavailable(Exception):
    """Redis cannot be reached, has closed the connection, or answers nonsense."""


class Oversized(Unavailable):
    """Redis holds more under a key than any entry may take."""
