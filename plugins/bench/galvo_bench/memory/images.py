"""Thumbnails of large images: peak RSS, time and the event loop's delay, each run in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from galvo_bench.memory.image_ways import FILES
from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.peers import Absent, attempt, need
from galvo_bench.running.stand import Stand, must

SIZE = (12_000, 10_000)
WIDTH = 1_600
LANES = {
    "Pillow: open, resize LANCZOS": "naive",
    "the same again (A/A)": "naive",
    "the same in a thread": "thread",
    "Pillow: thumbnail()": "pillow",
    "galvo thumbnail": "galvo",
}
Run = dict[str, float]


async def measure(stand: Stand) -> list[Section]:
    """Thumbnails of JPEG and PNG of 120 megapixels, Pillow and galvo: peak memory, time, the event loop's lag."""
    with tempfile.TemporaryDirectory(prefix="galvo-bench-") as folder:
        made = await attempt("images", lambda: make(Path(folder), SIZE))
        if isinstance(made, Missing):
            return [Section("images", "Thumbnails", "Needs galvo-memory[images].", [made])]
        return [await _section(stand, kind, Path(folder) / file) for kind, file in FILES.items()]


async def make(folder: Path, size: tuple[int, int]) -> bool:
    """The pictures. Raises Absent."""
    need("PIL")
    await _child("make", str(folder), *map(str, size))
    return True


async def shrink(way: str, path: Path, width: int) -> Run:
    """What a thumbnail took, in a process of its own. Raises GalvoError, Absent."""
    found: Run = json.loads(await _child(way, str(path), str(width)))
    must(found["bytes"] > 0, f"{way} made no thumbnail")
    return found


async def _section(stand: Stand, kind: str, path: Path) -> Section:
    runs: dict[str, list[Run]] = {name: [] for name in LANES}
    for _ in range(max(1, stand.rounds // 4)):
        for name, way in LANES.items():
            runs[name].append(await shrink(way, path, WIDTH))
        stand.tick()
    middle = {name: {key: median(run[key] for run in lane) for key in lane[0]} for name, lane in runs.items()}
    first = middle[next(iter(LANES))]
    rows = [
        Values(
            name,
            {
                "peak MiB": run["peak"] / 2**20,
                "% less": 100 * (1 - run["peak"] / first["peak"]),
                "s": run["seconds"],
                "lag p99 ms": 1000 * run["p99"],
                "worst ms": 1000 * run["worst"],
            },
        )
        for name, run in middle.items()
    ]
    title = f"{kind} of {SIZE[0] * SIZE[1] / 1e6:,.0f} megapixels to {WIDTH:,} pixels"
    explains = (
        "RSS of the whole process at its peak, Python and libraries included; lag: how late its event loop was. "
        "Pillow's thumbnail() has a JPEG's decoder make it smaller, as its manual says; a PNG's decoder cannot."
    )
    return Section("images", title, explains, [*rows])


async def _child(*arguments: str) -> bytes:
    """What it prints. Raises Absent when it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "galvo_bench.memory.image_ways", *arguments, stdout=asyncio.subprocess.PIPE
    )
    found, _ = await process.communicate()
    if process.returncode:
        raise Absent(f"image_ways {' '.join(arguments)} failed: exit code {process.returncode}")
    return found
