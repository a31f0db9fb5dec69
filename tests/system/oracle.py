"""Clients that notice a stale answer: values only grow, so whoever reads less than was known before is wrong.

Two rules, together linearizability of one register: a read that begins after a write was acknowledged sees it, and
a read that begins after another read has ended sees nothing older than that one.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import anyio
import anyio.lowlevel

SCHEMA = """
    create table counter (id int primary key, value int not null);
    create table part (id int primary key, counter int references counter on delete cascade, value int not null);
    insert into counter select n, 0 from generate_series(0, {rows} - 1) n;
    insert into part select n, n, 0 from generate_series(0, {rows} - 1) n;
"""
ONE = "select value from counter where id = $1"
JOINED = "select c.value from counter c join part p on p.counter = c.id where c.id = $1"
TOTAL = "select sum(value)::int from counter"


class Oracle:
    """Readers and writers on one kernel, and what they know for sure."""

    def __init__(self, kernel: Any, rows: int, seed: int = 1) -> None:
        self.kernel = kernel
        self.rows = rows
        self.random = random.Random(seed)
        self.known = dict.fromkeys(range(rows), 0)
        """Per row a value that has been acknowledged or seen; a later read must not be below it."""
        self.total = 0
        self.locks = [anyio.Lock() for _ in range(rows)]
        self.counts: Counter[str] = Counter()
        self.stale: list[str] = []
        self.stop = False

    async def read(self, pause: float) -> None:
        """Reads until stopped, by primary key, through a join, and as a sum."""
        while not self.stop:
            kind = self.random.random()
            if kind < 0.1:
                floor = self.total
                value = await self.kernel.fetchval(TOTAL)
                self._check("sum", value, floor)
                self.total = max(self.total, value)
            else:
                row = self.random.randrange(self.rows)
                floor = self.known[row]
                value = await self.kernel.fetchval(ONE if kind < 0.7 else JOINED, row)
                self._check(f"row {row}", value, floor)
                self.known[row] = max(self.known[row], value)
            self.counts["reads"] += 1
            if pause:
                await anyio.sleep(pause)
            elif kind > 0.98:
                await anyio.lowlevel.checkpoint()  # hits alone would never let go of the loop

    async def write(self, pause: float) -> None:
        """Writes until stopped: autocommit, transactions, rollbacks, and some cancelled halfway."""
        while not self.stop:
            row = self.random.randrange(self.rows)
            kind = self.random.random()
            async with self.locks[row]:
                if kind < 0.5:
                    value = await self.kernel.fetchval(
                        "update counter set value = value + 1 where id = $1 returning value", row
                    )
                elif kind < 0.8:
                    async with self.kernel.transaction() as session:
                        value = await session.fetchval(
                            "update counter set value = value + 1 where id = $1 returning value", row
                        )
                        await session.execute("update part set value = value + 1 where counter = $1", row)
                elif kind < 0.9:
                    with anyio.move_on_after(self.random.random() * 0.004):
                        await self.kernel.execute("update counter set value = value + 1 where id = $1", row)
                    self.counts["maybe cancelled"] += 1
                    continue
                else:
                    try:
                        async with self.kernel.transaction() as session:
                            await session.execute("update counter set value = value + 1000000 where id = $1", row)
                            raise LookupError
                    except LookupError:
                        continue
                self.known[row] = max(self.known[row], value)
                self.counts["writes"] += 1
            await anyio.sleep(pause)

    def _check(self, what: str, value: int, floor: int) -> None:
        if value < floor:
            self.stale.append(f"{what}: {value} after {floor} was known")
