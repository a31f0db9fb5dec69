"""Buffers that are used again, which is faster than fresh memory from half a MiB on (`galvo bench buffers`).

What is smaller than 64 KiB is never kept: a plain `bytearray` takes less than a microsecond.
"""

from __future__ import annotations

import ctypes
import itertools
import logging
import threading
from collections import deque
from contextlib import suppress
from types import TracebackType

from galvo.sizes import parse, show
from galvo_memory.pools.place import Place
from galvo_memory.pools.registry import Held, registry

LEAST = 64 << 10
log = logging.getLogger("galvo.memory")


class BufferPool:
    """Any thread may take and release.

    A reused buffer still holds what its last user has written, unless `zero` is set: then it is filled with zeros,
    which costs what the pool saves, or more. Set it when the buffers are shared by users who must not see each other's
    data and may read what they have not written.

    >>> buffers = BufferPool("64MiB")
    >>> with buffers.take(1_000_000) as view:
    ...     length = await stream.readinto(view)
    """

    def __init__(self, max_bytes: int | str = "64MiB", *, zero: bool = False, name: str = "buffers") -> None:
        """`max_bytes`: the most that it keeps while nobody uses it. Raises ValueError for what is no size."""
        self.name = name
        self.max_bytes = parse(max_bytes)
        self.zero = zero
        self.idle = 0
        """Bytes that are kept for the next one."""
        self.reused = 0
        self.made = 0
        self.leaks = 0
        """Buffers that were dropped without a release."""
        self.shared = 0
        """Buffers that were released while a view or an array still used them, and are not used again."""
        self._lock = threading.Lock()
        self._kept: dict[int, list[bytearray]] = {}
        self._out: dict[int, tuple[int, Place]] = {}
        self._lost: deque[int] = deque()
        self._numbers = itertools.count()
        registry.add(self)

    def take(self, size: int) -> Buffer:
        """`size` bytes; use it with `with`, or call `release`. Raises ValueError for less than one byte."""
        if size <= 0:
            raise ValueError(f"a buffer of {size} bytes holds nothing: its size has to be positive")
        whole, memory = size_class(size), None
        if self._lost:
            self._bury()
        with self._lock:
            kept = self._kept.get(whole)
            if kept:
                memory = kept.pop()
                self.idle -= whole
                self.reused += 1
            else:
                self.made += 1
        if memory is None:
            memory = bytearray(whole)
        elif self.zero:
            ctypes.memset((ctypes.c_char * size).from_buffer(memory), 0, size)
        return Buffer(self, memory, size)

    def _back(self, buffer: Buffer, memory: bytearray) -> None:
        whole = len(memory)
        try:
            memory.append(memory.pop())  # refused while somebody else still has a view of it
        except BufferError:
            log.warning("a buffer taken at %s is released, and something still uses it", buffer.place)
            self.shared += 1
            return
        if whole >= LEAST:
            with self._lock:
                if self.idle + whole <= self.max_bytes:
                    self.idle += whole
                    kept = self._kept.get(whole)
                    if kept is None:
                        self._kept[whole] = [memory]
                    else:
                        kept.append(memory)

    def _bury(self) -> None:
        """The collector runs at any moment, also while this thread holds the lock, so it only leaves a number."""
        while self._lost:
            if self._out.pop(self._lost.popleft(), None) is not None:
                self.leaks += 1

    def held(self) -> Held:
        """Those that are out are told with the lines that took them."""
        self._bury()
        with self._lock:
            out = list(self._out.values())
            items = sum(map(len, self._kept.values()))
            places = tuple(sorted({str(place) for _, place in out}))
            return Held(self.name, self.idle, sum(whole for whole, _ in out), items, len(out), places)

    def free(self, share: float) -> int:
        """The largest first: they are the rarest, and give the most."""
        with self._lock:
            goal, freed = self.idle * share, 0
            for whole in sorted(self._kept, reverse=True):
                kept = self._kept[whole]
                while kept and freed < goal:
                    kept.pop()
                    freed += whole
            self.idle -= freed
            return freed

    def trim(self, max_bytes: int | str) -> int:
        """Keep no more than `max_bytes` from now on; gives the bytes that this frees at once."""
        self.max_bytes = parse(max_bytes)
        over = self.idle - self.max_bytes
        return self.free(over / self.idle) if over > 0 else 0


class Buffer:
    """Writable memory of exactly the size that was asked for, until it is released."""

    __slots__ = ("__weakref__", "_memory", "_number", "_pool", "place", "size", "view")

    def __init__(self, pool: BufferPool, memory: bytearray, size: int) -> None:
        self._pool = pool
        self._memory: bytearray | None = memory
        self._number = number = next(pool._numbers)
        self.size = size
        self.view = memoryview(memory)[:size]
        self.place = place = Place(3)
        pool._out[number] = len(memory), place

    def release(self) -> None:
        """Back to the pool; a second time does nothing."""
        memory = self._memory
        if memory is not None:
            self._memory = None
            del self._pool._out[self._number]
            with suppress(BufferError):  # something still uses it, and `_back` tells
                self.view.release()
            self._pool._back(self, memory)

    def __enter__(self) -> memoryview:
        return self.view

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        if self._memory is not None:
            self._pool._lost.append(self._number)
            log.warning("a buffer of %s taken at %s was never released", show(self.size), self.place)


def size_class(size: int) -> int:
    """What is allocated for `size` bytes: four classes between two powers of two, so at most a fifth is in excess.

    Less than 64 KiB is left as it is, and not kept.
    """
    if size < LEAST:
        return size
    step = 1 << (size - 1).bit_length() - 3
    return -(-size // step) * step
