"""Several workers on one database and one Redis."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from pathlib import Path
from subprocess import PIPE
from typing import Any

import asyncpg

from tests.forking import MODULE, Fork, shared
from tests.system.processes import shop
from tests.system.processes.judge import Judge

ROOT = Path(__file__).parents[3]
LEASE = 0.5
WRITERS = 6
"""At most, in all processes together."""
ALARMS = ("Traceback", "never retrieved", "never awaited", "was a wrong")


class Crowd:
    def __init__(self, dsn: str, redis: str, folder: Path, **told: Any) -> None:
        self._told: dict[str, Any] = {
            "readers": 4,
            "read_pause": 0.008,
            "write_pause": 0.08,
            "lease": LEASE,
            "broken": (),
        }
        self._told |= {"cache": {}, "writers_in_all": WRITERS, "dsn": dsn, "redis": redis} | told
        self._folder = folder
        self._writers = 0
        self.workers: list[Fork] = []

    async def start(self, processes: int = 3, *, writers: int = 1, **told: Any) -> None:
        """Start and let go `processes` with as many writers each."""
        if not self.workers:
            connection = await asyncpg.connect(self._told["dsn"])
            await connection.execute(shop.SCHEMA)
            await connection.close()
        new = []
        for number in range(len(self.workers), len(self.workers) + processes):
            mine = {
                "notes": str(self._folder / f"notes-{number}"),
                "writers": [*range(self._writers, self._writers + writers)],
            }
            self._writers += writers
            words = ["tests.system.processes.worker", json.dumps(self._told | told | mine)]
            with (self._folder / f"log-{number}").open("w") as log:
                new.append(Fork(shared(), MODULE, words, cwd=ROOT, text=True, stdin=PIPE, stdout=PIPE, stderr=log))
        self.workers += new
        assert self._writers <= WRITERS
        for worker in new:
            assert await self._line(worker) == "ready", self.logs()
        for worker in new:
            self._say(worker, "go")

    async def counted(self) -> list[dict[str, Any]]:
        """The statistics of the living so far."""
        alive = self._alive()
        for worker in alive:
            self._say(worker, "count")
        return [await self._line(worker) for worker in alive]

    async def finish(self) -> list[dict[str, Any]]:
        """Stop the living and give their statistics."""
        alive = self._alive()
        for worker in alive:
            self._say(worker, "stop")
        stats = [await self._line(worker) for worker in alive]
        for worker in alive:
            self._say(worker, "bye")
        for worker in alive:
            assert await asyncio.to_thread(worker.wait) == 0, self.logs()
        return stats

    async def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            with worker:  # which waits, and closes its pipes
                pass

    def judge(self, since: int = 0) -> Judge:
        return Judge(self._folder.glob("notes-*"), since)

    def logs(self) -> str:
        return "".join(file.read_text() for file in sorted(self._folder.glob("log-*")))

    def alarms(self) -> list[str]:
        """Lines of the workers' logs that must not be there."""
        return [line for line in self.logs().splitlines() if any(alarm in line for alarm in ALARMS)]

    def _alive(self) -> list[Fork]:
        return [worker for worker in self.workers if worker.poll() is None]

    def _say(self, worker: Fork, words: str) -> None:
        assert worker.stdin is not None
        worker.stdin.write(f"{words}\n")
        worker.stdin.flush()

    async def _line(self, worker: Fork) -> Any:
        assert worker.stdout is not None
        return json.loads(await asyncio.to_thread(worker.stdout.readline))


def hit_share(after: list[dict[str, Any]], before: list[dict[str, Any]] | None = None, *names: str) -> float:
    """The part of the reads (of `names`, or all) that did not reach the database."""
    reads: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for told in after:
        reads.update(told["reads"])
        passed.update(told["passed"])
    for told in before or []:
        reads.subtract(told["reads"])
        passed.subtract(told["passed"])
    names = names or tuple(shop.READS)
    return 1 - sum(passed[name] for name in names) / max(1, sum(reads[name] for name in names))
