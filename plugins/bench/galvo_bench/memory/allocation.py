"""What operations allocate, and what is left: of an answer, and of the life of a pool, a cache, a kernel."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import anyio
import asyncpg

from galvo_bench.kernel.hot_path import SCHEMA
from galvo_bench.memory import image_ways
from galvo_bench.method.rounds import Result
from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.peers import attempt, need
from galvo_bench.running.stand import Stand, must

PICTURE = (1_200, 800)
ANSWERS = {
    "asyncpg.Pool.fetch": ("plain", ""),
    "galvo fetch, uncached": ("uncached", ""),
    "galvo fetch, L1 hit": ("hit", ""),
    "cashews mem:// get": ("cashews", "cashews"),
    "galvo record": ("record", ""),
    "prometheus_client observe": ("observe", "prometheus_client"),
    "galvo thumbnail": ("image", "PIL"),
    "Pillow in the loop": ("pillow", "PIL"),
}
LIVES = {
    "asyncpg.Pool": ("plain", ""),
    "cashews mem://": ("cashews", "cashews"),
    "galvo, a kernel's life": ("galvo", ""),
    "galvo, a reload": ("reloaded", ""),
}
TIMES = 1_024
"""Operations after which what they left is counted; a tenth of pictures."""
READS = 500
"""Answers in a life."""
COUNT = 5
"""Lives that are counted."""


async def measure(stand: Stand) -> list[Section]:
    """Bytes and objects that a query, a hit, a record and a thumbnail allocate; what a stop and a reload leave."""
    url = await stand.postgres()
    await prepared(url)
    try:
        with tempfile.TemporaryDirectory(prefix="galvo-bench-") as folder:
            picture = Path(folder) / image_ways.FILES["baseline JPEG"]
            await attempt("a picture", lambda: _picture(picture.parent))
            given = {"url": url, "picture": str(picture), "times": TIMES}
            answers = [await _asked(stand, "answers", name, *way, given) for name, way in ANSWERS.items()]
        given = {"url": url, "answers": READS, "lives": COUNT}
        lives = [await _asked(stand, "lives", name, *way, given) for name, way in LIVES.items()]
    finally:
        await prepared(url, "drop table bench_material")
    return [
        Section("allocation", "What one operation allocates", ONE, _rows(answers, OPERATION)),
        Section("allocation", "Memory in the course of a life, KiB", COURSE, _rows(lives, STAGES)),
        Section("allocation", "What each further life leaves behind", LEFT, _rows(lives, LEAVES)),
    ]


ONE = (
    "20 rows read, or kept; a picture of a megapixel. peak: bytes of Python's while it runs, its answer included. "
    "held: bytes of an answer that is kept, objects: their number. left: objects that remain when it is dropped, and "
    "bytes of malloc's (C libraries', too)."
)
COURSE = (
    f"Python's bytes above those of a process that has lived before. full: after {READS} answers, 10 tasks at once. "
    "relieved: after critical memory pressure; asyncpg's connections expired, cashews cleared."
)
LEFT = (
    "Of several lives, from start to stop, after some that filled what is kept. A reload makes a new cache each time."
)

OPERATION = {"peak B": 1.0, "held B": 1.0, "objects": 1.0, "left": 1.0, "left B": 1.0}
STAGES = {"running": 1 / 1024, "full": 1 / 1024, "relieved": 1 / 1024}
LEAVES = {"bytes": 1.0, "objects": 1.0, "files": 1.0, "threads": 1.0, "tasks": 1.0}
"""What is shown of what a child tells, in which unit."""


async def prepared(url: str, script: str = SCHEMA) -> None:
    """On a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


def _rows(found: list[Values | Missing], shown: dict[str, float]) -> list[Result | Values | Missing]:
    return [
        Values(row.name, {name: row.values[name] * unit for name, unit in shown.items()})
        if isinstance(row, Values)
        else row
        for row in found
    ]


async def _picture(folder: Path) -> None:
    need("PIL")
    await _child("image_ways", "make", str(folder), *map(str, PICTURE))


async def _asked(
    stand: Stand, module: str, name: str, way: str, peer: str, given: Mapping[str, object]
) -> Values | Missing:
    """What a child tells. Raises GalvoError when it fails and no peer is to blame."""

    async def told() -> Values:
        if peer:
            need(peer)
        return Values(name, json.loads(await _child(module, way, given=given)))

    found = await attempt(name, told) if peer else await told()
    stand.tick()
    return found


async def _child(module: str, *arguments: str, given: Mapping[str, object] | None = None) -> bytes:
    command = [sys.executable, "-m", f"galvo_bench.memory.{module}", *arguments]
    done = await anyio.run_process(command, input=json.dumps(given).encode(), stderr=subprocess.PIPE, check=False)
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    must(done.returncode == 0, f"{module} {arguments[0]} ended with exit code {done.returncode}: {last}")
    return done.stdout
