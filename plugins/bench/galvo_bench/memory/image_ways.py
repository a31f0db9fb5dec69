"""A thumbnail in a process of its own: `python -m galvo_bench.memory.image_ways WAY FILE WIDTH` prints what it took.

And the pictures: `... make FOLDER WIDTH HEIGHT` writes them, in a process of its own, too, for it takes memory.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import Any

PROBE = 0.002
"""Seconds between two looks at the event loop."""
FILES = {"baseline JPEG": "baseline.jpg", "progressive JPEG": "progressive.jpg", "PNG": "picture.png"}


def _naive(path: str, width: int) -> bytes:
    from PIL import Image

    with Image.open(path) as image:
        small = image.resize((width, round(width * image.height / image.width)), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    small.save(target, "JPEG", quality=80)
    return target.getvalue()


async def _as_in_the_manual(path: str, width: int) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    with Image.open(path) as image:
        image.thumbnail((width, round(width * image.height / image.width)), Image.Resampling.LANCZOS)
        image.save(target, "JPEG", quality=80)
    return target.getvalue()


async def _in_the_loop(path: str, width: int) -> bytes:
    return _naive(path, width)


async def _in_a_thread(path: str, width: int) -> bytes:
    return await asyncio.to_thread(_naive, path, width)


async def _galvo(path: str, width: int) -> bytes:
    from galvo_memory.images import thumbnail

    return await thumbnail(path, width=width)


WAYS: dict[str, Callable[[str, int], Awaitable[bytes]]] = {
    "naive": _in_the_loop,
    "pillow": _as_in_the_manual,
    "thread": _in_a_thread,
    "galvo": _galvo,
}


async def measure(way: str, path: str, width: int) -> dict[str, float]:
    """Peak RSS of this process in bytes, what it was before, seconds, and how late the loop was, at most and p99."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # who wants 120 megapixels has switched it off
    Image.init()
    if way == "galvo":
        import_module("galvo_memory.images")  # an application has done that when it serves
    late: list[float] = []
    watch = asyncio.create_task(_watch(late))
    await asyncio.sleep(10 * PROBE)
    late.clear()
    before, began = _from_now(), time.perf_counter()
    made = await WAYS[way](path, width)
    seconds = time.perf_counter() - began
    await asyncio.sleep(2 * PROBE)
    watch.cancel()
    late.sort()
    return {
        "peak": _peak(),
        "before": before,
        "seconds": seconds,
        "p99": late[ceil(0.99 * len(late)) - 1],
        "worst": late[-1],
        "bytes": len(made),
    }


async def _watch(late: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(PROBE)
        late.append(time.perf_counter() - began - PROBE)


def _peak() -> int:
    """Bytes; getrusage would give the parent's where that was larger before exec."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def _from_now() -> int:
    """The peak is what there is now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def make(folder: Path, width: int, height: int) -> None:
    """Smooth areas, edges and noise, in colour: neither the best nor the worst case of a codec."""
    from PIL import Image

    edges = Image.effect_mandelbrot((width // 4, height // 4), (-2, -1.5, 1, 1.5), 60)
    noise = Image.effect_noise((width // 8, height // 8), 40)
    layers = [layer.resize((width, height)) for layer in (edges, noise, Image.linear_gradient("L"))]
    picture: Any = Image.merge("RGB", layers)
    picture.save(folder / FILES["baseline JPEG"], quality=85)
    picture.save(folder / FILES["progressive JPEG"], quality=85, progressive=True)
    picture.save(folder / FILES["PNG"], compress_level=1)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        sys.stdout.write(json.dumps(asyncio.run(measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
