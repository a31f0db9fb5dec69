"""Readers and writers of one process; each notes what it knows for sure, and when (CLOCK_MONOTONIC, ns)."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from contextlib import nullcontext
from time import monotonic_ns
from typing import Any

import asyncpg

from galvo import Kernel, Plugin, Proceed, Query, Rows, hookimpl
from tests.system.processes import shop

NAMES = {sql: name for name, sql in shop.READS.items()}
BATCH = 100


class Door(Plugin):
    """Between cache and pool: counts what reaches the database."""

    name = "door"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.passed: Counter[str] = Counter()

    def stats(self) -> dict[str, float]:
        return dict(self.passed)

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if query.sql in NAMES:
            self.passed[NAMES[query.sql]] += 1
        return await proceed(query)


class Notes:
    """A file of lines, each written at once, so that it survives the process."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._later: list[str] = []

    def now(self, *what: Any) -> None:
        os.write(self._file, (json.dumps(what) + "\n").encode())

    def later(self, *what: Any) -> None:
        self._later.append(json.dumps(what) + "\n")
        if len(self._later) >= BATCH:
            self.flush()

    def flush(self) -> None:
        os.write(self._file, "".join(self._later).encode())
        self._later = []


class Clients:
    """What they share: the kernel, the notes, and whether to go on."""

    def __init__(self, kernel: Kernel, notes: Notes, told: dict[str, Any]) -> None:
        self.kernel, self.notes, self.told = kernel, notes, told
        self.stopped = False
        self.reads: Counter[str] = Counter()
        self.writes = 0

    async def read(self) -> None:
        """Until stopped: one statement after the other, the first ids more often."""
        names, shares = [*shop.SHARES], [*shop.SHARES.values()]
        while not self.stopped:
            name = random.choices(names, shares)[0]
            args = () if name == "sum" else (int(random.random() ** 2 * shop.RANGES[name]),)
            begin = monotonic_ns()
            try:
                rows = await self.kernel.fetch(shop.READS[name], *args)
            except Exception as error:
                self.notes.now("error", f"read {name}: {error!r}")
            else:
                self.reads[name] += 1
                self.notes.later("r", begin, monotonic_ns(), name, *args, [list(row) for row in rows])
            await asyncio.sleep(random.random() * self.told["read_pause"])

    async def write(self, number: int) -> None:
        """Until stopped; `number` tells the rows that only this writer deletes, inserts or sets."""
        writer = Writer(self, number)
        while not self.stopped:
            await writer.step()
            await asyncio.sleep(random.random() * self.told["write_pause"])


class Writer:
    """One writer, whose writes are noted before they are sent and after they were acknowledged."""

    def __init__(self, clients: Clients, number: int) -> None:
        self._clients, self._kernel = clients, clients.kernel
        count = clients.told["writers_in_all"]
        self._owners = dict.fromkeys(range(number, shop.OWNERS, count), 0)
        self._mortals: dict[int, int | None] = dict.fromkeys(range(number, shop.MORTALS, count))
        """None, or the version that the row's absence is."""
        self._changes_schema = number == 0
        self._tables = 0

    async def step(self) -> None:
        kinds = {self._raise: 30, self._two: 15, self._by_owner: 10, self._move: 15, self._set: 10, self._mortal: 20}
        work = random.choices([*kinds], [*kinds.values()])[0]
        if self._changes_schema and random.random() < 0.03:
            work = self._schema
        begin, notes = monotonic_ns(), self._clients.notes
        notes.now("i", begin, work.__name__)
        try:
            done = await work()
        except asyncpg.DeadlockDetectedError:
            notes.now("x", begin)
        except Exception as error:
            notes.now("error", f"write {work.__name__}: {error!r}")
        else:
            self._clients.writes += 1
            notes.now("w", begin, monotonic_ns(), done)

    async def _raise(self) -> list[Any]:
        return _item(await self._kernel.fetch(shop.RAISE, random.randrange(shop.ITEMS)))

    async def _two(self) -> list[Any]:
        done: list[Any] = []
        async with self._kernel.transaction() as session:
            for id in sorted(random.sample(range(shop.ITEMS), 2)):
                done += _item(await session.fetch(shop.RAISE, id))
        return done

    async def _by_owner(self) -> list[Any]:
        table = random.choice(["item", "mortal"])
        rows = await self._kernel.fetch(shop.RAISE_ALL.format(table), random.randrange(shop.OWNERS))
        return [[table, *row] for row in rows]

    async def _move(self) -> list[Any]:
        args = random.randrange(shop.ITEMS), random.randrange(shop.OWNERS)
        if random.random() < 0.5:
            return _item(await self._kernel.fetch(shop.MOVE, *args))
        async with self._kernel.transaction() as session:
            return _item(await session.fetch(shop.MOVE, *args))

    async def _set(self) -> list[Any]:
        for id in self._owners:
            self._owners[id] += 1
        pairs = [*self._owners.items()]
        if random.random() < 0.5:
            await self._kernel.executemany(shop.SET, pairs)
        else:
            async with self._kernel.transaction() as session:
                await session.executemany(shop.SET, pairs)
        return [["owner", id, v, id] for id, v in pairs]

    async def _mortal(self) -> list[Any]:
        id = random.choice([*self._mortals])
        absent, owner = self._mortals[id], random.randrange(shop.OWNERS)
        scope = self._kernel.transaction() if random.random() < 0.5 else nullcontext(self._kernel)
        if absent is not None:
            async with scope as db:
                await db.execute(shop.INSERT, id, owner, absent + 1)
            self._mortals[id] = None
            return [["mortal", id, absent + 1, owner]]
        async with scope as db:
            absent = 1 + await db.fetchval(shop.DELETE, id)
        self._mortals[id] = absent
        return [["mortal", id, absent, shop.GONE]]

    async def _schema(self) -> list[Any]:
        self._tables += 1
        if self._tables % 3 == 0:
            await self._kernel.execute(f"alter table item add column extra_{self._tables} int")
        else:
            await self._kernel.execute(f"create table passing_{self._tables} (id int)")
            await self._kernel.execute(f"drop table passing_{self._tables}")
        return []


def _item(rows: Any) -> list[Any]:
    return [["item", *row] for row in rows]
