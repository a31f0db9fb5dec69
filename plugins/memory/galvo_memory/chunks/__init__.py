"""Large results: read in chunks that fit, or written by COPY."""

from __future__ import annotations

from galvo_memory.chunks.chunked import Chunks, chunked
from galvo_memory.chunks.errors import KeysetUnusable, NoConnection, NotEntered
from galvo_memory.chunks.export import Exported, export

__all__ = ["Chunks", "Exported", "KeysetUnusable", "NoConnection", "NotEntered", "chunked", "export"]
