"""Memory of large operations: what a process needs above what it had before, by the usual way and by galvo's."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

from galvo_bench.claims.claim import Found
from galvo_bench.memory import chunks, images
from galvo_bench.memory.image_ways import FILES
from galvo_bench.method.interval import interval
from galvo_bench.method.rounds import LEAST
from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.peers import attempt
from galvo_bench.running.stand import Stand

ROWS = 200_000
SIZE, WIDTH = (6_000, 4_000), 1_600
"""Of the pictures and of their thumbnails, in pixels."""
PLAIN, AGAIN, OURS = "plain", "again", "galvo"
READ = {PLAIN: "asyncpg fetch", AGAIN: "fetch again (A/A)", OURS: "chunked, cursor"}
SHRINK = {PLAIN: "naive", AGAIN: "naive", OURS: "galvo"}
"""By lane, the way to do it."""

MIB = 1 << 20
Peaks = dict[str, list[float]]
"""MiB by lane, round by round."""
Run = Callable[[str], Awaitable[dict[str, float]]]
"""Runs a way; gives its peak in bytes."""


async def measure(stand: Stand) -> Found:
    """All lanes at once: memory is nothing that another process takes away."""
    url, rounds = await stand.postgres(), max(min(LEAST, stand.rounds), stand.rounds // 3)
    async with chunks.table(url, ROWS):
        rows = await _peaks(stand, rounds, READ, lambda way: chunks.read(way, url, ROWS))
    found = {f"{ROWS:,} rows": rows}
    with tempfile.TemporaryDirectory(prefix="galvo-bench-") as folder:
        made = await attempt("thumbnails", lambda: images.make(Path(folder), SIZE))
        if not isinstance(made, Missing):
            for kind, file in FILES.items():
                found[kind] = await _peaks(stand, rounds, SHRINK, partial(_shrunk, Path(folder) / file))
    worst = max(found, key=lambda name: interval(_ratios(found[name], OURS))[1])
    peaks, ratios = found[worst], _ratios(found[worst], OURS)
    low, high = interval(ratios)
    explains = (
        f"Peak memory above what the process had before; of {', '.join(found)} the one that gains least: {worst}. "
    )
    if isinstance(made, Missing):
        explains += f"Plain is asyncpg's fetch. Thumbnails are not measured ({made.missing}): so it is not shown."
    else:
        explains += "Plain is asyncpg's fetch, and Pillow's open and resize."
    return Found(
        galvo=median(peaks[OURS]),
        plain=median(peaks[PLAIN]),
        middle=median(ratios),
        low=low,
        high=high,
        noise=interval(_ratios(peaks, AGAIN)),
        explains=explains,
        rounds=rounds,
        most="not shown" if isinstance(made, Missing) else "beyond",
        sections=[_section(found, [made] if isinstance(made, Missing) else [])],
    )


async def _peaks(stand: Stand, rounds: int, ways: Mapping[str, str], run: Run) -> Peaks:
    found: Peaks = {lane: [] for lane in ways}
    for _ in range(rounds):
        for lane, one in zip(ways, await asyncio.gather(*map(run, ways.values())), strict=True):
            found[lane].append(one["peak"] / MIB)
        stand.tick()
    return found


async def _shrunk(path: Path, way: str) -> dict[str, float]:
    """Without what a process of Pillow's or ours has at rest."""
    found = await images.shrink(way, path, WIDTH)
    return {"peak": found["peak"] - found["before"]}


def _ratios(peaks: Peaks, lane: str) -> list[float]:
    return [mine / plain for mine, plain in zip(peaks[lane], peaks[PLAIN], strict=True)]


def _section(found: Mapping[str, Peaks], missing: list[Missing]) -> Section:
    rows = []
    for name, peaks in found.items():
        ratios = _ratios(peaks, OURS)
        rows.append(Values(name, {
            "plain MiB": median(peaks[PLAIN]),
            "galvo MiB": median(peaks[OURS]),
            "less %": 100 * (1 - median(ratios)),
            "at least %": 100 * (1 - interval(ratios)[1]),
        }))  # fmt: skip
    size = f"{SIZE[0] * SIZE[1] / 1e6:,.0f} megapixels to {WIDTH:,} pixels"
    explains = f"Peak above what the process had before. Rows: fetch and chunks; pictures of {size}: Pillow and galvo."
    return Section("memory", "Memory of large operations", explains, [*rows, *missing])
