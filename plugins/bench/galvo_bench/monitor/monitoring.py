"""What the monitor plugin costs an application of 1,000 queries a second: CPU, and memory of its own."""

from __future__ import annotations

import json
import sys
from statistics import median

import anyio
import msgspec

from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand, must

RATE = 1000
"""Queries a second."""
LONGEST = 60.0
"""Seconds of load, of 21 rounds; fewer take less."""
PAIRS = 3
"""Children with and without it, two at a time, which have the same noise."""
KINDS = {"no monitor": [], "the monitor": ["galvo_monitor:MonitorPlugin"], "no monitor again (A/A)": []}
DEFAULT = 30.0
"""Seconds between two collections, by default: their cost is told by collections that are run one after the other."""

CHILD = """
import gc, importlib, json, os, sys, time
import anyio
from galvo import Kernel
from galvo_pool import PoolPlugin
url, extra, seconds, rate = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
classes = {PoolPlugin: {"url": url}}
for name in extra:
    module, _, attribute = name.partition(":")
    classes[getattr(importlib.import_module(module), attribute)] = {}

def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

async def load(kernel, seconds):
    began = time.perf_counter()
    done = 0
    while (spent := time.perf_counter() - began) < seconds:
        due = int(spent * rate) - done
        for _ in range(due):
            await kernel.fetch("select 1")
        done += due
        await anyio.sleep(0.01)
    return done

async def main():
    async with Kernel.of(classes) as kernel:
        assert all(info["state"] == "active" for info in kernel.plugins())
        await load(kernel, min(6, seconds))  # past what a start does once
        began, used = time.perf_counter(), time.process_time()
        done = await load(kernel, seconds)
        took = time.perf_counter() - began
        told = {"share": (time.process_time() - used) / took, "rate": done / took, "rss": rss(), "record": 0.0,
                "collection": 0.0}
        if monitor := kernel.find_capability("monitor"):
            from galvo_pool.metering import DURATION
            times = 100_000
            began = time.process_time()
            for _ in range(times):
                kernel.record(DURATION, 0.001)
            told["record"] = (time.process_time() - began) / times
            began = time.process_time()
            for _ in range(20):
                await monitor._collection.collect()
            told["collection"] = (time.process_time() - began) / 20
        print(json.dumps(told))

anyio.run(main)
"""


class Told(msgspec.Struct, frozen=True):
    share: float
    """Of a core."""
    rate: float
    """Queries a second."""
    rss: int
    """Bytes at the end."""
    record: float
    """Seconds of CPU that one record takes."""
    collection: float
    """Seconds of CPU, all threads."""


async def measure(stand: Stand) -> list[Section]:
    """One section: CPU and RSS of child processes with and without the plugin."""
    url = await stand.postgres()
    seconds = min(LONGEST, 3.0 * stand.rounds)
    found: dict[str, list[Told]] = {kind: [] for kind in KINDS}

    async def run(kind: str) -> None:
        command = [sys.executable, "-c", CHILD, url, json.dumps(KINDS[kind]), str(seconds), str(RATE)]
        done = await anyio.run_process(command, stderr=None)
        found[kind].append(msgspec.json.decode(done.stdout, type=Told))
        stand.tick()

    base, *others = KINDS
    for _ in range(PAIRS):
        for other in others:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run, base)
                tasks.start_soon(run, other)
    must(
        all(told.rate > RATE / 2 for tolds in found.values() for told in tolds), "this machine is too busy for the load"
    )
    least = median(told.rss for told in found[base])
    rows: list[Values] = []
    for kind, tolds in found.items():
        plain = found[base][kind == others[1] :: 2] if kind != base else tolds
        more = [told.share - one.share for told, one in zip(tolds, plain, strict=False)]
        parts = median(told.record * RATE + told.collection / DEFAULT for told in tolds)
        rows.append(Values(kind, {
            "% of a core": 100 * median(told.share for told in tolds),
            "more, %": 100 * median(more),
            "by its parts, %": 100 * parts,
            "ns a record": 1e9 * median(told.record for told in tolds),
            "ms a collection": 1e3 * median(told.collection for told in tolds),
            "more RSS, MiB": (median(told.rss for told in tolds) - least) / (1 << 20),
        }))  # fmt: skip
    explains = (
        f"{PAIRS} processes of each, in pairs, {RATE:,} uncached queries a second for {seconds:g} s, default settings. "
        f"By its parts: {RATE:,} records a second and a collection every {DEFAULT:g} s, each timed by itself."
    )
    return [Section("monitoring", f"The monitor at {RATE:,} queries a second", explains, [*rows])]
