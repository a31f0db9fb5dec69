"""Random writes by keys, two or three at a time, among rows that move: at rest, every answer is what the database says.

What is looked up or remembered for one write may be wrong by the time the next one has ended.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from galvo import Kernel
from galvo_cache.lane import Lane
from galvo_cache.ledger import Ledger
from galvo_cache.touching import Touching
from tests.plugins.cache.stand import Stand, standing
from tests.thorough import some

pytestmark = pytest.mark.anyio
STEPS = 400
SETUP = """
create table thing(id int primary key, slug text unique, owner int, book int, price int not null default 0);
create index on thing(owner); create index on thing(book);
insert into thing select g, 's' || g, g % 3, g % 2 from generate_series(1, 4) g;
insert into thing values (100, 's5', 1, 1), (101, 's6', null, 0);
"""
LISTS = (
    "select sum(price), count(*) from thing where owner = $1",
    "select count(*), sum(price) from thing where book = $1",
)
"""What must not be stale. They show no rows."""
ROWS = (
    "select id, slug, owner, book, price from thing where id = $1",
    "select id, slug, owner, book from thing where slug = $1",
    "select * from thing where owner = $1",
)
WRITES = {
    "update thing set price = price + 1 where id = {id}": 12,
    "update thing set price = price + 1 where slug = {slug}": 12,
    "update thing set owner = {owner} where id = {id}": 4,
    "update thing set owner = {owner} where slug = {slug}": 4,
    "update thing set book = {owner}, price = price + 1 where slug = {slug}": 2,
    "update thing set owner = {owner} where owner = {owner}": 1,
    "update thing set id = {id} where slug = {slug}": 2,
    "update thing set slug = {slug} where id = {id}": 2,
    "delete from thing where id = {id}": 3,
    "delete from thing where slug = {slug}": 3,
    "insert into thing values ({id}, {slug}, {owner}, {owner})": 12,
    "insert into thing values ({id}, {slug}, 1, 1) on conflict (id) do update set owner = excluded.owner": 1,
    "do $$begin update thing set owner = (owner + 1) % 3 where id = {id}; end$$": 6,
}


class Shop:
    def __init__(self, stand: Stand, seed: int) -> None:
        self.stand = stand
        self.dice = random.Random(seed)
        self.wrong: list[str] = []
        self.done = 0

    def given(self, name: str) -> Any:
        match name:
            case "id":
                return self.dice.choice((1, 2, 3, 4, 100, 101))
            case "slug":
                return f"s{self.dice.randint(1, 6)}"
            case _:
                return self.dice.randrange(3)

    def statement(self) -> tuple[str, list[Any]]:
        """With parameters, or literals where there can be none."""
        text, args = self.dice.choices(list(WRITES), list(WRITES.values()))[0], []
        for name in ("id", "slug", "owner"):
            while f"{{{name}}}" in text:
                value = self.given(name)
                if "$$" not in text:
                    args.append(value)
                text = text.replace(f"{{{name}}}", f"${len(args)}" if "$$" not in text else f"{value}", 1)
        return text, args

    async def write(self) -> None:
        kernel = self.stand.kernel
        try:
            if self.dice.random() < 0.25:
                async with kernel.transaction() as session:
                    for _ in range(self.dice.randint(1, 3)):
                        await self.run(session)
            elif self.dice.random() < 0.1:
                runs = [(self.given("id"),) for _ in range(3)]
                await kernel.executemany("update thing set price = price + 1 where id = $1", runs)
            else:
                await self.run(kernel)
        except asyncpg.PostgresError:
            return  # a key that is there already, or two transactions in each other's way
        self.done += 1

    async def run(self, who: Kernel | Any) -> None:
        sql, args = self.statement()
        for _ in range(self.dice.randrange(8)):
            await asyncio.sleep(0)
        await who.execute(sql, *args)

    async def overtake(self, asks: list[tuple[str, Any]]) -> None:
        """A write that knows whose row it changes, and is sent only when others have ended and answers were read."""
        stop = self.stand.gate.stop("price + 1")
        key = self.dice.choice(("id", "slug"))
        sql = f"update thing set price = price + 1 where {key} = $1"
        first = asyncio.create_task(self.stand.kernel.execute(sql, self.given(key)))
        await stop.reached.wait()
        for _ in range(self.dice.randint(1, 2)):
            await self.write()
        for ask in asks:
            await self.stand.kernel.fetch(*ask)
        stop.go.set()
        await first
        self.stand.gate.stops.remove(stop)

    async def step(self) -> None:
        """Writes at once with reads, then every answer."""
        tasks = [asyncio.create_task(self.write()) for _ in range(self.dice.choice((1, 1, 2, 3)))]
        asks = [(sql, value) for sql in LISTS for value in range(3)]
        rows = [(sql, self.given(name)) for sql, name in zip(ROWS, ("id", "slug", "owner"), strict=True)]
        fetch = self.stand.kernel.fetch
        tasks += [asyncio.create_task(fetch(*ask)) for ask in self.dice.sample([*asks, *rows], 3)]
        await asyncio.gather(*tasks)
        if self.dice.random() < 0.6:
            await self.overtake(asks)
        for sql, value in asks:
            got, true = await fetch(sql, value), await self.stand.other.fetch(sql, value)
            if sorted(map(repr, got)) != sorted(map(repr, true)):
                self.wrong.append(f"{sql} {value!r}: {got}, not {true}")


async def test_at_rest_every_answer_is_true(dsn: str) -> None:
    async with standing(dsn, setup=SETUP) as stand:
        shop = Shop(stand, 1)
        for _ in range(STEPS):
            await shop.step()
            assert shop.wrong == []
        assert shop.done > STEPS
        assert stand["hits"] > 2 * STEPS
        assert stand["lookups"] > 20
        assert stand["lookups_known"] > 20
        assert stand["pending"] == 0


UNLEARN = Lane.unlearn
MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "moves are not noticed": (Lane, "unlearn", lambda self, tokens, changed: None),
    "whatever is updated is spared": (
        Lane,
        "unlearn",
        lambda self, tokens, changed: None if changed else UNLEARN(self, tokens, changed),
    ),
    "look-ups are not spoiled": (Ledger, "_spoil", lambda self, lane: None),
    "what is not found touches nothing": (Touching, "_ask", lambda self, question, patience: found(question)),
}


async def found(question: Any) -> dict[str, list[int]]:
    return {name: [] for name in question.lanes}


@pytest.mark.parametrize("name", some(MUTANTS))
async def test_the_check_finds_a_broken_rule(dsn: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(*MUTANTS[name])
    async with standing(dsn, setup=SETUP) as stand:
        shop = Shop(stand, 1)
        for _ in range(10 * STEPS):
            await shop.step()
            if shop.wrong:
                break
        assert shop.wrong
