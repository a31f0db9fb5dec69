"""N+1: found when a statement runs for each row of an answer, and only then."""

from __future__ import annotations

import random
import uuid

import pytest

from galvo_index import IndexPlugin
from tests.plugins.index.watch.stand import watching

pytestmark = pytest.mark.anyio
LIST = "select id, name from material order by id"
ONE = "select price from material where id = $1"


def found(index: IndexPlugin) -> list[str]:
    index._watch.repeats.stop()
    return [finding.seen for finding in index.findings() if finding.rule == "n-plus-one"]


async def test_a_statement_for_each_row(dsn: str) -> None:
    async with watching(dsn) as (kernel, index):
        for row in await kernel.fetch(LIST):
            await kernel.fetchval("select now()")
            if row["id"] % 7:  # some rows need none
                await kernel.fetch(ONE, row["id"])
        (seen,) = found(index)
        assert seen == f"One task ran {ONE} 43 times, once for each of 50 rows that {LIST} had answered."


async def test_in_a_session_and_by_text_or_uuid(dsn: str) -> None:
    async with watching(dsn) as (kernel, index):
        async with kernel.transaction() as session:
            for row in await session.fetch("select md5(n::text)::uuid as key from generate_series(1, 20) n"):
                await session.fetch("select $1::uuid", row["key"])
        (seen,) = found(index)
        assert "20 times" in seen


async def test_one_statement_for_all_of_them_is_none(dsn: str) -> None:
    async with watching(dsn) as (kernel, index):
        ids = [row["id"] for row in await kernel.fetch(LIST)]
        await kernel.fetch("select price from material where id = any($1)", ids)
        for _ in range(50):
            await kernel.fetch(ONE, random.Random(7).choice(ids))
        assert found(index) == []


async def test_a_worker_that_happens_to_use_such_numbers_is_none(dsn: str) -> None:
    """It asks for what others send, in whatever order."""
    async with watching(dsn) as (kernel, index):
        rows = await kernel.fetch(LIST)
        shuffled = [row["id"] for row in rows]
        random.Random(7).shuffle(shuffled)
        for number in shuffled:
            await kernel.fetch(ONE, number)
            await kernel.fetch("select $1::uuid", uuid.UUID(int=number))
        assert found(index) == []


async def test_another_task_s_answer_is_not_blamed(dsn: str) -> None:
    async with watching(dsn) as (kernel, index):
        await kernel.fetch(LIST)

        async def other() -> None:
            for number in range(1, 51):
                await kernel.fetch(ONE, number)

        import anyio

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(other)
        assert found(index) == []


async def test_strange_values_do_no_harm(dsn: str) -> None:
    class Strange:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("never compared")

        __hash__ = None  # type: ignore[assignment]

    async with watching(dsn) as (kernel, index):
        rows = await kernel.fetch(LIST)
        for row in rows:
            with pytest.raises(Exception, match="Strange"):
                await kernel.fetch(ONE, Strange())
            await kernel.fetch("select $1::int[]", [row["id"]])
        assert found(index) == []
        assert not [plugin for plugin in kernel.plugins() if plugin["faults"]]
