"""galvo's ways to invalidate: in this process, and in all processes that share a Redis."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import cycle
from typing import cast

import anyio
from redis.asyncio import Redis

from galvo import Rows
from galvo_bench.cache.redis_ways import ENTRIES
from galvo_bench.method.rounds import Candidate
from galvo_bench.running.stand import must
from galvo_cache.answers import Answer
from galvo_cache.coherence import Coherence, Follower
from galvo_cache.effects import Param, Read, Slice
from galvo_cache.lane import Value
from galvo_cache.ledger import Ledger
from galvo_cache.plans import Plan
from galvo_cache.sieve import Entry, Sieve
from galvo_cache.touch import Touch

TABLE = 1
STATEMENTS = 100
ROWS = 500
"""Single rows written in one round."""


class Memory:
    """The answers of one table in a ledger and a store, as the plugin puts them there."""

    def __init__(self, *, by_row: bool) -> None:
        self.store = Sieve(2**30)
        self.ledger = Ledger(self.store.remove)
        slices = (Slice(TABLE, "id", Param(0), unique=True),) if by_row else ()
        self.plans = [Plan(Read(frozenset({TABLE}), slices)) for _ in range(STATEMENTS)]
        for plan in self.plans:
            self.ledger.enter(plan)
        self.by_row = by_row
        self.fill(range(ENTRIES))

    def fill(self, numbers: range) -> None:
        answer = Answer(Rows([("row",)]), 10_000)
        for number in numbers:
            plan = self.plans[number % STATEMENTS]
            lane = self.ledger.table(TABLE).lane("id", 0)
            places = (Value(lane, number),) if self.by_row else ()
            self.store.add(Entry(plan, plan.many, (number,), answer, plan.generation, float("inf"), places))

    def alive(self) -> int:
        """Answers that a lookup would accept."""
        return sum(entry.generation == plan.generation for plan in self.plans for entry in plan.many.values())


class Ways:
    """Each is checked once: it invalidates what it says."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url, self._stack = url, stack

    def whole_table(self) -> Candidate:
        """One write to all rows, with the answers of 100 statements."""
        memory = Memory(by_row=False)

        async def write() -> None:
            memory.ledger.end(memory.ledger.begin({TABLE: None}))

        memory.ledger.end(memory.ledger.begin({TABLE: None}))
        must(memory.alive() == 0, "a write to a table left answers alive")
        return Candidate("galvo L1, whole table", write, 200)

    def one_row(self) -> Candidate:
        """One write to a single row: the other 9,999 answers stay."""
        memory = Memory(by_row=True)
        touches: list[Touch] = [{TABLE: {"id": [number]}} for number in range(ROWS)]
        turns = cycle(touches)

        async def write() -> None:
            memory.ledger.end(memory.ledger.begin(next(turns)))

        async def refill() -> None:
            memory.fill(range(ROWS))

        memory.ledger.end(memory.ledger.begin(touches[0]))
        must(memory.alive() == ENTRIES - 1, "a write to one row did not invalidate exactly one answer")
        return Candidate("galvo L1, one row of it", write, ROWS, before=refill)

    async def everywhere(self) -> Candidate:
        """A write that another process, here a second member in this one, has acknowledged before it is sent."""
        clients: list[Redis] = [Redis.from_url(self._url) for _ in range(2)]
        for client in clients:
            self._stack.push_async_callback(client.aclose)
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(tasks.cancel_scope.cancel)
        members = []
        for client in clients:
            memory = Memory(by_row=False)
            trusted = anyio.Event()
            follower = cast("Follower", memory.ledger)
            member = Coherence(client, "bench", follower, on_lease=lambda until, trusted=trusted: trusted.set())  # type: ignore[misc]
            tasks.start_soon(member.run)
            await trusted.wait()
            members.append((memory, member))
        (mine, coherence), (other, _) = members

        async def write() -> None:
            pending = mine.ledger.begin({TABLE: None})
            await coherence.settle(await coherence.announce({TABLE: None}))
            mine.ledger.end(pending)

        await write()
        must(mine.alive() == other.alive() == 0, "an announced write left answers alive")
        return Candidate("galvo, acknowledged by all", write, 20)
