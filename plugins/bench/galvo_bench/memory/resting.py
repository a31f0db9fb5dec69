"""What the memory plugin costs a process in which nothing happens: CPU, and memory of its own."""

from __future__ import annotations

import sys
from statistics import median

import anyio
import msgspec

from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand, must

LONGEST = 60.0
"""Seconds for which it rests, of 21 rounds; fewer take less."""
CHILDREN = 3
"""Of each kind. All rest at the same time: nobody needs the processor then."""
KINDS = {
    "no plugin": "",
    "the memory plugin": "galvo_memory:MemoryPlugin",
    "no plugin again (A/A)": "",
}

CHILD = """
import importlib, json, os, sys, time
import anyio
from galvo import Kernel
from pathlib import Path
name, seconds = sys.argv[1], float(sys.argv[2])

def rss():
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0

module, _, attribute = name.partition(":")
classes = {getattr(importlib.import_module(module), attribute): {}} if name else {}

async def main():
    async with Kernel.of(classes) as kernel:
        assert all(info["state"] == "active" for info in kernel.plugins())
        await anyio.sleep(min(6, seconds))  # past what a start does once
        began, used = time.perf_counter(), time.process_time()
        await anyio.sleep(seconds)
        share = (time.process_time() - used) / (time.perf_counter() - began)
        print(json.dumps({"share": share, "rss": rss()}))

anyio.run(main)
"""


class Rest(msgspec.Struct, frozen=True):
    share: float
    """Of a core."""
    rss: int
    """Bytes at the end."""


async def measure(stand: Stand) -> list[Section]:
    """One section: CPU and RSS of child processes with and without the plugin."""
    seconds = min(LONGEST, 3.0 * stand.rounds)
    found: dict[str, list[Rest]] = {kind: [] for kind in KINDS}

    async def rest(kind: str) -> None:
        command = [sys.executable, "-c", CHILD, KINDS[kind], str(seconds)]
        done = await anyio.run_process(command, stderr=None)
        found[kind].append(msgspec.json.decode(done.stdout, type=Rest))
        stand.tick()

    async with anyio.create_task_group() as tasks:
        for _ in range(CHILDREN):
            for kind in KINDS:
                tasks.start_soon(rest, kind)
    must(all(rest.rss for rests in found.values() for rest in rests), "RSS cannot be read here: it needs Linux")
    base = median(rest.rss for rest in found["no plugin"])
    rows = [
        Values(kind, {
            "% of a core": 100 * median(rest.share for rest in rests),
            "most": 100 * max(rest.share for rest in rests),
            "RSS, MiB": median(rest.rss for rest in rests) / (1 << 20),
            "more, MiB": (median(rest.rss for rest in rests) - base) / (1 << 20),
        })
        for kind, rests in found.items()
    ]  # fmt: skip
    explains = f"{CHILDREN} processes of each, with default settings, for {seconds:g} s; nothing is asked of them."
    return [Section("resting", "At rest: CPU and memory of the memory plugin", explains, [*rows])]
