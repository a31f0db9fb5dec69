"""Memory: pressure events, leak verdicts, budgets, chunks, images, pools.

What it exports is imported when it is first used: the children of `run_limited` need next to nothing of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from galvo_memory.budgets import memory_budget, run_limited
    from galvo_memory.chunks import chunked, export
    from galvo_memory.plugin import MemoryPlugin
    from galvo_memory.pools import BufferPool, ObjectPool

__all__ = ["BufferPool", "MemoryPlugin", "ObjectPool", "chunked", "export", "memory_budget", "run_limited"]

HOMES = {
    "BufferPool": "pools", "MemoryPlugin": "plugin", "ObjectPool": "pools", "chunked": "chunks",
    "export": "chunks", "memory_budget": "budgets", "run_limited": "budgets",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
