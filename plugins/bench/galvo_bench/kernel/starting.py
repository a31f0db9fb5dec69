"""How long a start takes until the first answer, with the servers up: child processes, from `exec` to rows."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from time import monotonic

import anyio
import asyncpg

from galvo import GalvoError
from galvo_bench.kernel.hot_path import SCHEMA
from galvo_bench.kernel.starter import SIZE, Told
from galvo_bench.method.rounds import Candidate
from galvo_bench.results.model import Section, Values
from galvo_bench.running.peers import Lineup, need
from galvo_bench.running.stand import Stand

NAMES = {
    f"asyncpg.create_pool, {SIZE}": "asyncpg",
    "the same, its default of 10": "asyncpg-10",
    "galvo create_pool, no kernel": "pool",
    "galvo, everything on": "everything",
}
PARTS = {"imports": 1e3, "start": 1e3, "first": 1e3, "stop": 1e3, "cpu": 1e3, "rss": 1 / (1 << 20)}


class Starts:
    """A way's processes, as a candidate."""

    def __init__(self, way: str, url: str, redis: str) -> None:
        self.way = way
        self.seconds = 0.0
        self.told: list[Told] = []
        self._servers = {"url": url, "redis": redis}

    async def start(self) -> None:
        """One process. Raises GalvoError when it fails."""
        given = json.dumps({**self._servers, "began": monotonic()}).encode()
        command = [sys.executable, "-m", "galvo_bench.kernel.starter", self.way]
        done = await anyio.run_process(command, input=given, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise GalvoError(f"the start of {self.way} ended with exit code {done.returncode}: {last}")
        told: Told = json.loads(done.stdout)
        self.told.append(told)
        self.seconds += told["ready"]

    def candidate(self, name: str) -> Candidate:
        return Candidate(name, self.start, 1, clock=lambda: self.seconds)

    def parts(self, name: str) -> Values:
        """Medians; what the first process took is left out: it reads files that no other has to."""
        told = self.told[1:] or self.told
        units = {"rss": "MiB", "cpu": "CPU"}
        return Values(
            name, {units.get(part, part): unit * median(own[part] for own in told) for part, unit in PARTS.items()}
        )


async def measure(stand: Stand) -> list[Section]:
    """A start with everything on until its first answer, its parts, against asyncpg's pool."""
    url, redis = await stand.postgres(), await stand.redis()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SCHEMA)
        starts = {name: Starts(way, url, redis) for name, way in NAMES.items()}
        lineup = Lineup(*(one.candidate(name) for name, one in starts.items()))

        async def psycopg() -> Candidate:
            need("psycopg_pool")
            starts["psycopg_pool"] = Starts("psycopg", url, redis)
            return starts["psycopg_pool"].candidate("psycopg_pool")

        await lineup.peer("psycopg_pool", psycopg)
        rows = await lineup.compare(stand, "wall")
    finally:
        await connection.execute("drop table bench_material")
        await connection.close()
    return [
        Section("start", "From a process's begin to its first answer", READY, [*rows]),
        Section("start", "Of that, in ms", PARTED, [one.parts(name) for name, one in starts.items()]),
    ]


READY = (
    "Wall time, the interpreter and imports included; servers are up. Everything: cache with Redis, pool, index, "
    "memory, monitor, tasks."
)
PARTED = (
    "imports: the interpreter, modules and settings. start: until it is running. first: the first query. "
    "stop: all of it, after that. CPU: until the answer. MiB: RSS at its peak."
)
