"""Mixed requests from concurrent clients: mostly people who look around, a few who order and edit.

The same seed gives the same requests in the same order per client, on any database, so two ways of
running queries can be compared request by request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter_ns

from galvo_engraving import reads, writes
from galvo_engraving.histogram import Histogram
from galvo_engraving.world import Client, Database, World

Request = Callable[[Database, Client], Awaitable[int]]
"""Returns the queries it made."""

MIX: tuple[tuple[int, Request], ...] = (
    (2450, reads.template_page),
    (1900, reads.template_list),
    (1500, reads.material_page),
    (1250, reads.sheet_settings),
    (700, reads.material_list),
    (700, reads.project_page),
    (600, reads.user_page),
    (600, reads.job_status),
    (100, writes.rename_project),
    (70, writes.order),
    (70, writes.finish_job),
    (58, writes.add_part),
    (2, writes.tune_setting),
)
"""Requests in ten thousand."""

WRITES = frozenset(request for _, request in MIX if request.__module__ == writes.__name__)
_DECK = tuple(request for share, request in MIX for _ in range(share))


@dataclass(slots=True)
class Outcome:
    """What one run did. `queries` are those the application made, whoever answered them."""

    requests: int = 0
    writes: int = 0
    errors: int = 0
    stale: int = 0
    queries: int = 0
    seconds: float = 0.0
    first_error: str = ""
    latencies: Histogram = field(default_factory=Histogram)


async def run(
    db: Database,
    world: World,
    *,
    clients: int = 16,
    seed: int = 1,
    seconds: float | None = None,
    requests: int | None = None,
) -> Outcome:
    """Run until `seconds` have passed or every client has made `requests`, whichever is given."""
    if seconds is None and requests is None:
        raise ValueError("a workload needs seconds or requests, or it never ends")
    if not 1 <= clients <= min(world.projects, world.jobs, world.settings):
        raise ValueError(f"{clients} clients cannot each have rows of their own at this scale")
    outcome = Outcome()
    started = perf_counter_ns()
    deadline = None if seconds is None else started + int(seconds * 1e9)
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            client = Client(world, seed, number, clients)
            group.create_task(_serve(db, client, outcome, deadline, requests))
    outcome.seconds = (perf_counter_ns() - started) / 1e9
    return outcome


async def _serve(db: Database, client: Client, outcome: Outcome, deadline: int | None, requests: int | None) -> None:
    random = client.random
    made = 0
    while requests is None or made < requests:
        # A server goes back to its event loop for every request. Without this, a client whose answers
        # all come from memory would never let the others run.
        await asyncio.sleep(0)
        begin = perf_counter_ns()
        if deadline is not None and begin >= deadline:
            break
        request = _DECK[int(random.random() * len(_DECK))]
        made += 1
        try:
            queries = await request(db, client)
        except Exception as error:  # noqa: BLE001  # a failed request is counted, like in any load test
            outcome.errors += 1
            if not outcome.first_error:
                outcome.first_error = f"{request.__name__}: {type(error).__name__}: {error}"
        else:
            outcome.latencies.record(perf_counter_ns() - begin)
            outcome.queries += queries
        outcome.requests += 1
        outcome.writes += request in WRITES
    outcome.stale += client.stale
