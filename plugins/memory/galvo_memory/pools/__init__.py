"""Pools of what is worth to be used again: large buffers, expensive objects."""

from __future__ import annotations

from galvo_memory.pools.buffers import Buffer, BufferPool
from galvo_memory.pools.errors import PoolClosed
from galvo_memory.pools.objects import ObjectPool
from galvo_memory.pools.registry import Held, registry

__all__ = ["Buffer", "BufferPool", "Held", "ObjectPool", "PoolClosed", "registry"]
