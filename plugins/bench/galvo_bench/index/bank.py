"""A write-heavy load in the manner of TPC-B: transfers that write four tables, and now and then somebody who reads."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from random import Random
from typing import Any

import msgspec

from galvo_bench.index.advice import advised
from galvo_bench.index.backend import connect
from galvo_bench.index.database import hypothetical, tell
from galvo_bench.index.lanes import Change, Single, compare, lanes
from galvo_bench.index.report import Report, Row
from galvo_bench.index.sets import IndexSet
from galvo_engraving.demo.databases import with_database
from galvo_index.workload import Statement

NAME = "galvo_bench_bank"
ACCOUNTS = 100_000
"""At scale 1; as many entries are there from the start."""
TRANSFERS = 2_000
"""In a round."""
SCHEMA = """
    create table branch (id int primary key, balance bigint not null, note char(80) not null) with (fillfactor = 50);
    create table teller (id int primary key, branch int not null, balance bigint not null, note char(80) not null)
        with (fillfactor = 50);
    create table account (id int primary key, branch int not null, balance bigint not null, note char(80) not null)
        with (fillfactor = 90);
    create table entry (id bigint generated always as identity primary key, account int not null, teller int not null,
        branch int not null, amount int not null, made timestamptz not null, note char(20) not null);
    insert into branch select n, 0, '' from generate_series(1, 10) n;
    insert into teller select n, n % 10 + 1, 0, '' from generate_series(1, 100) n;
"""
FILL = """
    insert into account select n, n % 10 + 1, n * 7919 % 100000 - 100, '' from generate_series(1, {rows}) n;
    insert into entry (account, teller, branch, amount, made, note)
        select n * 7919 % {rows} + 1, n % 100 + 1, n % 10 + 1, n % 1000,
            timestamptz '2026-01-01 00:00+00' + n * interval '1 minute', ''
        from generate_series(1, {rows}) n;
"""
MOVE = "update account set balance = balance + $2 where id = $1"
BALANCE = "select balance from account where id = $1"
TELLER = "update teller set balance = balance + $2 where id = $1"
BRANCH = "update branch set balance = balance + $2 where id = $1"
ENTRY = "insert into entry (account, teller, branch, amount, made, note) values ($1, $2, $3, $4, now(), '')"
LATEST = "select made, amount from entry where account = $1 order by made desc limit 10"
OVERDRAWN = "select id, balance from account where balance < $1 order by balance limit 20"
MIXES = {"writes only": 0, "2 reads in 2,000 transfers": 2, "40 reads in 2,000 transfers": 40}
"""Reads in a round. Those reads want indexes; at 2 they are not worth what those cost the writes."""


class Load:
    """One round of transfers: the same in every lane."""

    def __init__(self, accounts: int, reads: int, transfers: int) -> None:
        self.accounts = accounts
        self.reads = reads
        self.transfers = transfers

    async def __call__(self, lane: Single, number: int) -> None:
        random = Random(f"bank/{number}")  # noqa: S311  # a load, not a secret
        every = self.transfers // self.reads if self.reads else 0
        for turn in range(self.transfers):
            await self._transfer(lane, random)
            if every and turn % every == 0:
                if turn // every % 2:
                    await lane.fetch(OVERDRAWN, -99)
                else:
                    await lane.fetch(LATEST, random.randint(1, self.accounts))

    async def _transfer(self, lane: Single, random: Random) -> None:
        account, teller, amount = random.randint(1, self.accounts), random.randint(1, 100), random.randint(-500, 500)
        branch = teller % 10 + 1
        async with lane.acquire() as connection, connection.transaction():
            await connection.execute(MOVE, account, amount)
            await connection.fetchval(BALANCE, account)
            await connection.execute(TELLER, teller, amount)
            await connection.execute(BRANCH, branch, amount)
            await connection.execute(ENTRY, account, teller, branch, amount)


async def measure(url: str, options: Any) -> AsyncGenerator[Report, None]:
    """A report for every mix. Raises GalvoError."""
    accounts = max(1000, round(ACCOUNTS * options.scale))
    top = await connect(url)
    try:
        for title, reads in MIXES.items():
            await top.execute(f"drop database if exists {NAME} with (force)")
            await top.execute(f"create database {NAME}")
            load = Load(accounts, reads, TRANSFERS)
            advice, statements = await _asked(with_database(url, NAME), load)
            async with lanes(url, NAME, ["without", "with the advice"]) as crew:
                for index in advice.indexes:
                    tell(f"creating an index on {index}")
                    await crew["with the advice"].execute(f"create index on {index}")
                changes = await compare(crew, load, options.rounds, tell)
            yield report(f"A bank, {title}", changes, advice, statements)
    finally:
        await top.execute(f"drop database if exists {NAME} with (force)")
        await top.close()


async def _asked(url: str, load: Load) -> tuple[IndexSet, list[Statement]]:
    """Fill the database, watch one round, ask for advice; the round stays in it."""
    connection = await connect(url)
    try:
        tell("filling a bank")
        await connection.execute(SCHEMA + FILL.format(rows=load.accounts))
        await connection.execute("vacuum (analyze)")
        await hypothetical(connection)
        watched = Single(connection)
        await load(watched, -2)
        await connection.execute("vacuum (analyze)")
        tell("asking galvo")
        statements = watched.statements()
        return await advised(connection, statements), statements
    finally:
        await connection.close()


def report(title: str, changes: dict[str, Change], advice: IndexSet, statements: list[Statement]) -> Report:
    calls = sum(one.calls for one in statements)
    rows = [
        Row(
            name,
            {
                "CPU s": f"{change.seconds:.3f}",
                "ratio": f"{change.ratio:.3f}",
                "quartiles": f"{change.low:.3f} to {change.high:.3f}",
                "pages": f"{change.pages:,.0f}",
            },
            msgspec.to_builtins(change) | ({"indexes": list(advice.indexes)} if "advice" in name else {}),
        )
        for name, change in changes.items()
    ]
    indexes = "; ".join(advice.indexes) or "no index"
    return Report(title, f"{calls:,.0f} statements were watched; galvo advises: {indexes}.", rows)
