"""What a task that does nothing costs its worker: CPU of all of its processes."""

from __future__ import annotations

from galvo_bench.method.rounds import Candidate, compare
from galvo_bench.results.model import Section
from galvo_bench.running.stand import Stand
from galvo_bench.tasks.load import Loaded, loaded
from galvo_bench.tasks.ways import WAYS

TASKS = 200
"""Of a round."""


async def measure(stand: Stand) -> list[Section]:
    """One section: all workers are there all of the time, one at a time has work."""
    async with loaded(stand, WAYS, TASKS, processes=1) as workers:
        rows = await compare([_candidate(one) for one in workers], stand.rounds, "wall", stand.tick)
    explains = (
        f"One process each; {TASKS} tasks wait when it begins. Each has its own Redis. "
        "Kept results are galvo's own; all others of its tasks have none."
    )
    return [Section("worker", "A task that does nothing: CPU of the worker", explains, [*rows])]


def _candidate(one: Loaded) -> Candidate:
    return Candidate(one.way.name, one.drain, 1, TASKS, one.fill, one.worker.cpu)
