"""Reads that are due whatever became of the ones before (open loop), checked against what was written meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from statistics import quantiles
from time import perf_counter

import msgspec

from galvo_bench.cache.through import Through
from galvo_bench.load.alarm import alarm
from galvo_bench.load.loops import arrivals

KEYS = 50
READS, WRITES = 200, 10
"""A second."""
IN_FLIGHT = 512
PATIENCE = 10.0
"""Seconds that the last reads may take."""
WRITE = "update bench_reliable set version = $2 where id = $1"
SEED = 7
ANSWERED = ("right", "wrong")

Committed = Callable[[int], Awaitable[int]]
"""The version of a key in the database."""


class Read(msgspec.Struct, frozen=True):
    due: float
    """Seconds from the begin."""
    seconds: float
    """From when it was due."""
    outcome: str
    """right, wrong (older than what was acknowledged before it was sent), error, shed, lost."""


class Load:
    """`reader` and `writer` are two processes of an application, as far as a cache can tell."""

    def __init__(self, reader: Through, writer: Through, committed: Committed) -> None:
        self._reader, self._writer, self._committed = reader, writer, committed
        self._versions = [0] * (KEYS + 1)
        """Acknowledged, by key."""
        self._flying: set[asyncio.Task[None]] = set()
        self.reads: list[Read] = []
        self.writes: list[Read] = []
        self.errors: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        self._begin = perf_counter()
        writing = asyncio.create_task(self._write(seconds))
        try:
            await self._send(seconds)
            await asyncio.wait([writing, *self._flying], timeout=PATIENCE)
        finally:
            left = [writing, *self._flying]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _send(self, seconds: float) -> None:
        chance = Random(SEED)  # noqa: S311  # reproducible, not secret
        with alarm() as clock:
            for due in arrivals(READS, SEED):
                if due >= seconds:
                    break
                await clock.sleep(self._begin + due - perf_counter())
                key = chance.randint(1, KEYS)
                if len(self._flying) >= IN_FLIGHT:
                    self.reads.append(Read(due, 0.0, "shed"))
                    continue
                task = asyncio.create_task(self._read(due, key))
                self._flying.add(task)
                task.add_done_callback(self._flying.discard)

    async def _read(self, due: float, key: int) -> None:
        least, outcome = self._versions[key], "lost"
        try:
            [(version,)] = await self._reader.read(key)
            outcome = "right" if version >= least else "wrong"
        except Exception as error:  # noqa: BLE001  # whatever a cache lets through to its caller
            outcome = "error"
            self.errors[type(error).__name__] += 1
        finally:
            self.reads.append(Read(due, perf_counter() - self._begin - due, outcome))

    async def _write(self, seconds: float) -> None:
        """One after the other, so that what was acknowledged last is known; late ones are as late as they are."""
        chance, number = Random(SEED + 1), 0  # noqa: S311  # reproducible, not secret
        for due in arrivals(WRITES, SEED + 1):
            if due >= seconds:
                return
            await asyncio.sleep(max(0.0, self._begin + due - perf_counter()))
            key, number, outcome = chance.randint(1, KEYS), number + 1, "right"
            try:
                await self._writer.write(WRITE, key, number)
            except Exception as error:  # noqa: BLE001  # whatever a cache lets through to its caller
                outcome = "error"
                self.errors[type(error).__name__] += 1
            self._versions[key] = number if outcome == "right" else await self._committed(key)
            self.writes.append(Read(due, perf_counter() - self._begin - due, outcome))


def told(reads: list[Read], writes: list[Read]) -> dict[str, float]:
    """Of one phase."""
    counts = Counter(read.outcome for read in reads)
    return {
        "reads": len(reads),
        "wrong": counts["wrong"],
        "errors": counts["error"] + counts["shed"] + counts["lost"],
        "p50 ms": percentile(reads, 50),
        "p99 ms": percentile(reads, 99),
        "write ms": max((write.seconds for write in writes), default=0.0) * 1e3,
        "failed": sum(write.outcome != "right" for write in writes),
    }


def percentile(reads: list[Read], percent: int) -> float:
    """ms, of all that were due: without an answer it is `PATIENCE`, or who fails fast looks fast."""
    took = [1e3 * (read.seconds if read.outcome in ANSWERED else PATIENCE) for read in reads]
    return quantiles(took, n=100, method="inclusive")[percent - 1] if len(took) > 1 else sum(took)
