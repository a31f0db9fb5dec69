"""What the shelf keeps of an answer: its rows, and what its owner wants to know when it comes back."""

from __future__ import annotations

from typing import NamedTuple

from galvo import Rows

Stamps = tuple[bytes, ...]
"""Opaque here; whoever stores an answer gives them and compares them."""


class Stored(NamedTuple):
    """An answer as it lies in Redis."""

    rows: Rows
    stamps: Stamps
    created: float
    """Wall clock of the writer, seconds since 1970."""
    cost: float
    """Seconds it took to make."""
    ttl: float
    """Seconds it was stored for."""
    epoch: bytes = b""
    """The namespace's stamp; the shelf's own affair."""
