"""Load that does not wait for its answers (open), and load that does (closed)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from random import Random
from time import perf_counter
from typing import Any

from galvo_bench.load.alarm import Alarm
from galvo_bench.load.wire import Connection
from galvo_engraving.histogram import Histogram

PATIENCE = 5.0
"""Seconds that answers may take after the last request was due; after that they are missing."""
BAD = 400
CONFLICT = 409
"""What a change is answered whose predecessor was done, but not waited for."""


@dataclass(frozen=True, slots=True)
class Request:
    kind: str
    payload: bytes
    project: int = 0
    """That it changes."""


Next = Callable[[], Request]
Learn = Callable[[Request, bytes], None]
"""Given what was answered."""


@dataclass(slots=True)
class Outcome:
    """What was due after the warm-up; latencies are from when a request was due, whenever it could be sent."""

    due: int = 0
    done: int = 0
    shed: int = 0
    """Not sent: as many as may be were in flight."""
    missing: int = 0
    """Sent, and not answered in time."""
    errors: int = 0
    first_error: str = ""
    seconds: float = 0.0
    latencies: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)
    """How long after they were due requests were sent: the generator's own part of the latencies."""
    kinds: dict[str, Histogram] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """For JSON."""
        plain = {
            name: getattr(self, name) for name in ("due", "done", "shed", "missing", "errors", "first_error", "seconds")
        }
        histograms = {"latencies": self.latencies.buckets(), "late": self.late.buckets()}
        return plain | histograms | {"kinds": {name: kind.buckets() for name, kind in self.kinds.items()}}

    def record(self, request: Request, status: int, body: bytes, seconds: float) -> None:
        overtaken = status == CONFLICT and request.project
        if status == 0 or (status >= BAD and not overtaken):
            self.errors += 1
            self.first_error = self.first_error or f"{request.kind}: {status} {body[:200].decode(errors='replace')}"
            return
        self.done += 1
        nanoseconds = int(seconds * 1e9)
        self.latencies.record(nanoseconds)
        self.kinds.setdefault(request.kind, Histogram()).record(nanoseconds)


def arrivals(rate: float, seed: int) -> Iterator[float]:
    """Seconds from the start at which requests are due: a Poisson process, as many people are."""
    random, at = Random(f"arrivals/{seed}"), 0.0  # noqa: S311  # reproducible, not secret
    while True:
        at += random.expovariate(rate)
        yield at


async def opened(
    free: deque[Connection],
    make: Next,
    learn: Learn,
    clock: Alarm,
    *,
    rate: float,
    seconds: float,
    warm: float,
    seed: int,
    between: Callable[[], object] = lambda: None,
) -> Outcome:
    """`rate` requests a second for `warm` + `seconds`, of which the first are dropped; `between` is called then."""
    outcome, flying = Outcome(seconds=seconds), 0
    silent = asyncio.Event()

    def done(request: Request, due: float, counts: bool, status: int, body: bytes) -> None:
        nonlocal flying
        flying -= 1
        learn(request, body)
        if counts:
            outcome.record(request, status, body, perf_counter() - begin - due)
        if flying == 0:
            silent.set()

    begin, warming = perf_counter(), True
    for due in arrivals(rate, seed):
        if due >= warm + seconds:
            break
        # Even when it is behind: answers must be read all the same.
        await clock.sleep(begin + due - perf_counter())
        counts = due >= warm
        if counts and warming:
            warming = False
            between()
        request = make()
        outcome.due += counts
        if not free:
            outcome.shed += counts
            continue
        if counts:
            outcome.late.record(int((perf_counter() - begin - due) * 1e9))
        flying += 1
        silent.clear()
        free.pop().send(request.payload, partial(done, request, due, counts))
    if flying:
        try:
            await asyncio.wait_for(silent.wait(), PATIENCE)
        except TimeoutError:
            outcome.missing += flying
    return outcome


async def closed(
    free: deque[Connection], make: Next, learn: Learn, *, seconds: float = 0.0, requests: int = 0
) -> Outcome:
    """A request on each connection as soon as the one before is answered: for `seconds`, or so many `requests`, or
    until one of the two is over.
    """
    outcome, loop = Outcome(), asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    flying, begin = len(free), perf_counter()

    def end() -> None:
        nonlocal flying
        flying -= 1
        if flying == 0:
            ended.set_result(None)

    def step(connection: Connection) -> None:
        if (seconds and perf_counter() - begin >= seconds) or (requests and outcome.due >= requests):
            end()
            return
        request, sent = make(), perf_counter()
        outcome.due += 1

        def done(status: int, body: bytes) -> None:
            learn(request, body)
            outcome.record(request, status, body, perf_counter() - sent)
            if status:
                step(connection)
            else:
                end()

        connection.send(request.payload, done)

    for connection in list(free):
        step(connection)
    await ended
    outcome.seconds = perf_counter() - begin
    return outcome
