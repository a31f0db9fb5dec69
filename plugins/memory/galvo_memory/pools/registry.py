"""What this process keeps to use it again, so that it can be told, and given back when memory is short."""

from __future__ import annotations

import threading
import weakref
from typing import Protocol

import msgspec

from galvo import Freed


class Held(msgspec.Struct, frozen=True):
    """What one pool has."""

    name: str
    idle: int = 0
    """Bytes that `free` could give back, as far as they are known."""
    out: int = 0
    """Bytes that are in use."""
    items: int = 0
    """How many are idle."""
    taken: int = 0
    """How many are in use."""
    places: tuple[str, ...] = ()
    """Where they were taken, `file:line in function`."""


class Pool(Protocol):
    @property
    def name(self) -> str: ...
    def held(self) -> Held: ...
    def free(self, share: float) -> int:
        """Let go of this share (0 to 1) of what is idle; gives the bytes. Any thread."""


class Registry:
    """Keeps nothing alive. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools: weakref.WeakSet[Pool] = weakref.WeakSet()

    def add(self, pool: Pool) -> None:
        with self._lock:
            self._pools.add(pool)

    def held(self) -> list[Held]:
        """Of all pools, by name."""
        return sorted((pool.held() for pool in self._all()), key=lambda held: held.name)

    def free(self, share: float) -> Freed:
        """Have all pools let go of this share of what is idle; gives what that were."""
        if not 0 <= share <= 1:
            raise ValueError(f"a share is from 0 to 1, not {share!r}")
        return Freed.total(Freed(pool.free(share), f"pool {pool.name}") for pool in self._all())

    def _all(self) -> list[Pool]:
        with self._lock:
            return list(self._pools)


registry = Registry()
"""This process's one."""
