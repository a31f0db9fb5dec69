"""Several workers on one database and one Redis, and the judge of what they noted."""

from __future__ import annotations

import asyncio
import bisect
import json
import signal
from collections import defaultdict
from pathlib import Path
from subprocess import PIPE
from typing import Any

import asyncpg

from tests.forking import MODULE, Fork, shared
from tests.plugins.cache.coherence.table_cache import SCHEMA

ROOT = Path(__file__).parents[4]


class Crowd:
    def __init__(self, dsn: str, redis: str, folder: Path, **told: Any) -> None:
        self._told = {"keys": 5, "readers": 4, "writers": 1, "pause": 0.05, "lease": 0.5, "namespace": "crowd"} | told
        self._told |= {"dsn": dsn, "redis": redis}
        self._folder = folder
        self.workers: list[Fork] = []

    async def start(self, processes: int = 3, **told: Any) -> None:
        if not self.workers:
            connection = await asyncpg.connect(self._told["dsn"])
            await connection.execute(SCHEMA)
            await connection.execute("insert into kv select k, 0 from generate_series(0, $1 - 1) k", self._told["keys"])
            await connection.close()
        new = []
        for _ in range(processes):
            notes = {"notes": str(self._folder / f"notes-{len(self.workers) + len(new)}")}
            words = ["tests.plugins.cache.coherence.worker", json.dumps(self._told | told | notes)]
            new.append(Fork(shared(), MODULE, words, cwd=ROOT, text=True, stdin=PIPE, stdout=PIPE))
        self.workers += new
        for worker in new:
            assert await self.line(worker) == "ready"

    async def line(self, worker: Fork) -> Any:
        assert worker.stdout is not None
        return json.loads(await asyncio.to_thread(worker.stdout.readline))

    def say(self, worker: Fork, words: str) -> None:
        assert worker.stdin is not None
        worker.stdin.write(f"{words}\n")
        worker.stdin.flush()

    async def finish(self) -> list[dict[str, float]]:
        """Stop the living and give their statistics."""
        alive = [worker for worker in self.workers if worker.poll() is None]
        stats = await self.told("stop")
        for worker in alive:
            assert await asyncio.to_thread(worker.wait) == 0
        return stats

    async def told(self, words: str = "tell") -> list[dict[str, float]]:
        """The statistics of the living until now; what they have read is noted."""
        alive = [worker for worker in self.workers if worker.poll() is None]
        for worker in alive:
            self.say(worker, words)
        return [await self.line(worker) for worker in alive]

    async def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            with worker:  # which waits, and closes its pipes
                pass

    def judged(self) -> tuple[list[str], list[str], int]:
        """Reads older than what was acknowledged, older than what was seen, before they began; and the writes."""
        acked: dict[int, list[tuple[int, int]]] = defaultdict(list)
        seen: dict[int, list[tuple[int, int]]] = defaultdict(list)
        reads, writes = [], 0
        for file in self._folder.glob("notes-*"):
            for line in file.read_text().splitlines():
                kind, *numbers = line.split()
                key, value, begin, end = map(int, numbers)
                (acked if kind == "w" else seen)[key].append((end, value))
                writes += kind == "w"
                if kind == "r":
                    reads.append((key, value, begin))
        after_ack, after_seen = _newest(acked), _newest(seen)
        late, back = [], []
        for key, value, begin in reads:
            if value < (due := after_ack(key, begin)):
                late.append(f"{key}: {value} at {begin}, acknowledged {due}")
            if value < (due := after_seen(key, begin)):
                back.append(f"{key}: {value} at {begin}, seen {due}")
        return late, back, writes


def _newest(events: dict[int, list[tuple[int, int]]]) -> Any:
    """A function that gives the newest value of a key at a time."""
    times: dict[int, list[int]] = {}
    best: dict[int, list[int]] = {}
    for key, pairs in events.items():
        pairs.sort()
        times[key], best[key] = [time for time, _ in pairs], []
        for _, value in pairs:
            best[key].append(max(value, best[key][-1] if best[key] else 0))

    def newest(key: int, time: int) -> int:
        place = bisect.bisect_right(times.get(key, []), time)
        return best[key][place - 1] if place else 0

    return newest
