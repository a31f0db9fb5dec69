"""A program that leaks in the way its argument names, and what is found out about it, as JSON.

15 minutes are simulated: 180 samples of its real memory, 5 s apart by a clock of its own. It leaks on while the cause
is looked for. The line that leaks is marked with the leak's name.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import mmap
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from galvo_memory.allocator import heap
from galvo_memory.verdict import Detector, investigate

PAGE = os.sysconf("SC_PAGE_SIZE")
LIMIT = 1 << 30
KEPT: list[Any] = []
BY_KEY: dict[int, tuple[int, ...]] = {}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.realloc.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
libc.memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)


@dataclass
class Sample:
    rss: int
    blocks: int
    at: float
    limit: int | None = LIMIT

    @property
    def used(self) -> int:
        return self.rss


def rss() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * PAGE


def a_list() -> None:
    KEPT.extend([number] for number in range(1000))  # a list


def a_dict() -> None:
    for number in range(len(BY_KEY), len(BY_KEY) + 1000):
        BY_KEY[number] = (number, number)  # a dict


def a_cycle() -> None:
    def make() -> None:
        def again() -> Any:  # a closure cycle
            return again

    for _ in range(400):
        make()


async def forever() -> None:
    await asyncio.Event().wait()  # a task


def a_task() -> None:
    loop = asyncio.get_running_loop()
    KEPT.extend(loop.create_task(forever()) for _ in range(60))


def a_bytearray() -> None:
    KEPT.append(bytearray(100_000))  # a bytearray


def a_malloc() -> None:
    for _ in range(3):
        libc.memset(libc.malloc(50_000), 1, 50_000)  # a malloc


def a_mmap() -> None:
    mapped = mmap.mmap(-1, 200_000)
    mapped.write(b"1" * 200_000)  # a mmap
    KEPT.append(mapped)


def a_fragment() -> None:
    """Buffers are shrunk to specks, and each call needs some that are larger than the holes between the specks."""
    KEPT.append(None)
    size = 2000 + 16 * len(KEPT)
    pieces = [libc.malloc(size) for _ in range(100)]
    for piece in pieces:
        libc.memset(piece, 1, size)
    for piece in pieces:
        libc.realloc(piece, 32)


def nothing() -> None:
    """Garbage, but no leak."""
    [[number] for number in range(1000)]


LEAKS: dict[str, Callable[[], None]] = {
    "list": a_list, "dict": a_dict, "closure cycle": a_cycle, "task": a_task, "bytearray": a_bytearray,
    "malloc": a_malloc, "mmap": a_mmap, "fragment": a_fragment, "nothing": nothing,
}  # fmt: skip


async def main(name: str) -> None:
    if name == "closure cycle":
        gc.disable()
    leak, detector = LEAKS[name], Detector(heap=heap)
    named = None
    for number in range(180):
        leak()
        await asyncio.sleep(0)
        detector.add(Sample(rss(), sys.getallocatedblocks(), number * 5.0))
        if named is None and detector.verdict().kind != "none":
            named = number * 5.0
    verdict = detector.verdict()
    found = {"verdict": verdict._asdict(), "named": named, "sentences": [], "lines": [], "tasks": [], "whereabouts": []}
    if verdict.kind != "none":
        loop = asyncio.get_running_loop()
        looking = loop.run_in_executor(None, lambda: investigate(verdict.kind, rss, 0.5, loop, types=True))
        while not looking.done():
            leak()
            await asyncio.sleep(0.002)
        finding = await looking
        found |= finding._asdict() | {"sentences": finding.sentences()}
    print(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # what leaked need not be taken apart


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
