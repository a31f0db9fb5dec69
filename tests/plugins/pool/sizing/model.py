"""A model of clients, a pool and a server, in simulated time: what a limit does under a load.

Closed loop: each client takes a connection (FIFO), runs a statement, gives it back, and begins again. A statement is
work of the client's one thread, then CPU of the server's cores (processor sharing), then a wait (disk, lock, network).
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class Kind:
    sql: str
    cpu: float
    """Seconds on a core of the server, on average."""
    wait: float = 0.0
    client: float = 0.00006
    """Seconds of the client's thread."""
    steady: bool = False
    """Always the same; else exponentially distributed."""
    share: float = 1.0
    """How often it is chosen, to the others."""


@dataclass
class Outcome:
    done: int = 0
    seconds: float = 0.0
    area: float = 0.0
    most: int = 0

    @property
    def throughput(self) -> float:
        return self.done / self.seconds

    @property
    def busy(self) -> float:
        """Connections in use on average."""
        return self.area / self.seconds


class Model:
    """`limit()` is asked before each hand-out; `record(sql, seconds)` after each statement; `tick(waiting, busy)`
    every `pace()` seconds."""

    def __init__(
        self,
        kinds: list[Kind],
        cores: int,
        limit: Callable[[], int],
        record: Callable[[str, float], None] = lambda sql, seconds: None,
        tick: Callable[[int, int], object] = lambda waiting, busy: None,
        seed: int = 1,
        pace: Callable[[], float] = lambda: 0.25,
    ) -> None:
        self.kinds, self.cores, self.limit, self.record, self.tick, self.pace = (
            kinds, cores, limit, record, tick, pace,
        )  # fmt: skip
        self.source = random.Random(seed)
        self.now = 0.0
        self.clients = 0  # how many there are to be
        self.present = 0
        self.busy = 0
        self.queue: deque[int] = deque()
        self.most_waiting = self.most_busy = 0
        self.outcome = Outcome()
        self.slow = 1.0  # a factor on everything the server does
        self._events: list[tuple[float, int, Callable[..., None], tuple]] = []
        self._order = count()
        self._running: list[tuple[float, int, tuple]] = []  # by the virtual time at which they end
        self._virtual = 0.0
        self._since = 0.0
        self._version = 0
        self._thread_free = 0.0
        self._at(pace(), self._tick)

    def run(self, seconds: float, clients: int) -> Outcome:
        """Simulate so many seconds under so many clients."""
        self.outcome = Outcome(seconds=seconds)
        self.clients = clients
        while self.present < clients:
            self.present += 1
            self._arrive(self.present)
        until = self.now + seconds
        while self._events and self._events[0][0] <= until:
            moment, _, call, arguments = heapq.heappop(self._events)
            self.outcome.area += self.busy * (moment - self.now)
            self.now = moment
            call(*arguments)
        self.outcome.area += self.busy * (until - self.now)
        self.now = until
        return self.outcome

    def _at(self, moment: float, call: Callable[..., None], *arguments: object) -> None:
        heapq.heappush(self._events, (moment, next(self._order), call, arguments))

    def _tick(self) -> None:
        self.tick(self.most_waiting, self.most_busy)
        self.most_waiting, self.most_busy = len(self.queue), self.busy
        self._hand_out()
        self._at(self.now + self.pace(), self._tick)

    def _arrive(self, client: int) -> None:
        if self.present > self.clients:
            self.present -= 1
            return
        self.queue.append(client)
        self._hand_out()
        self.most_waiting = max(self.most_waiting, len(self.queue))

    def _hand_out(self) -> None:
        while self.queue and self.busy < self.limit():
            self.queue.popleft()
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            self.outcome.most = max(self.outcome.most, self.busy)
            self._send(self.source.choices(self.kinds, [kind.share for kind in self.kinds])[0])

    def _send(self, kind: Kind) -> None:
        began = self.now
        self._thread_free = max(self._thread_free, self.now) + kind.client
        self._at(self._thread_free, self._work, kind, began)

    def _amount(self, kind: Kind, mean: float) -> float:
        return mean if kind.steady or not mean else self.source.expovariate(1 / mean)

    def _speed(self) -> float:
        running = len(self._running)
        crowd = 1 + 0.004 * max(0, running - self.cores)  # what switching costs
        return min(1.0, self.cores / running) / crowd / self.slow if running else 1.0

    def _advance(self) -> None:
        self._virtual += (self.now - self._since) * self._speed()
        self._since = self.now

    def _plan(self) -> None:
        self._version += 1
        if self._running:
            rest = max(0.0, self._running[0][0] - self._virtual) / self._speed()
            self._at(self.now + rest, self._worked, self._version)

    def _work(self, kind: Kind, began: float) -> None:
        self._advance()
        ends = self._virtual + self._amount(kind, kind.cpu)
        heapq.heappush(self._running, (ends, next(self._order), (kind, began)))
        self._plan()

    def _worked(self, version: int) -> None:
        if version != self._version:
            return
        self._advance()
        _, _, (kind, began) = heapq.heappop(self._running)
        self._plan()
        wait = self._amount(kind, kind.wait) * self.slow
        if wait:
            self._at(self.now + wait, self._end, kind, began)
        else:
            self._end(kind, began)

    def _end(self, kind: Kind, began: float) -> None:
        self.record(kind.sql, self.now - began)
        self.outcome.done += 1
        self.busy -= 1
        self._hand_out()
        self._arrive(0)
