"""Writers that do not use galvo and say what they write."""

from __future__ import annotations

from typing import Any

import pytest

from galvo import GalvoError, leave_open
from tests.plugins.cache.stand import ALL, JOBS, LOG, Stand, standing

CHANGE = "update material set name = 'changed' where id = 1"


def cache_of(stand: Stand) -> Any:
    return stand.kernel.find_capability("cache")


@pytest.mark.anyio
async def test_tables_that_somebody_wrote(dsn: str) -> None:
    async with standing(dsn) as stand:
        for sql in (ALL, JOBS, LOG):
            while not await stand.hits(sql):
                pass
        await stand.other.execute(CHANGE)
        await cache_of(stand).wrote(["public.material"])
        assert [await stand.hits(sql) for sql in (ALL, JOBS, LOG)] == [False, False, True]  # a delete would cascade
        assert next(row["name"] for row in await stand.kernel.fetch(ALL)) == "changed"
        with pytest.raises(GalvoError, match=r"wrote\(\) names 'materials', which is no table"):
            await cache_of(stand).wrote(["log", "materials"])


@pytest.mark.anyio
async def test_verdicts(dsn: str) -> None:
    async with standing(dsn) as stand:
        foreign = cache_of(stand).foreign
        assert foreign.learn("select 1") == "anything"  # before the catalog is known
        assert foreign.verdict("select 1") is None
        await stand.warm(ALL)
        for sql, expected in {
            "select 1": "reads", ALL: "reads", "select now()": "reads", "savepoint a": "reads",
            CHANGE: "writes", "with w as (delete from job returning id) select id from w": "writes",
            "commit": "anything", "do $$ begin end $$": "anything", "nonsense": "anything",
            f"{CHANGE}; commit": "anything", "create table t ()": "anything",
        }.items():  # fmt: skip
            assert foreign.learn(sql) == foreign.verdict(sql) == expected, sql
        await stand.kernel.execute("create table t ()")
        assert foreign.verdict("select 1") is None  # the schema is another


@pytest.mark.anyio
@pytest.mark.parametrize("open", [False, True])
async def test_a_write_that_fails(dsn: str, open: bool) -> None:
    async def fail() -> None:
        assert stand["pending"] > 0
        error = ZeroDivisionError()
        if open:
            leave_open(error)
        raise error

    async with standing(dsn) as stand:
        await stand.warm(ALL)
        with pytest.raises(ZeroDivisionError):
            await cache_of(stand).foreign.during([CHANGE, "select 1"], fail)
        assert (stand["pending"] > 0) is open  # whether it took effect, nobody knows
        assert [await stand.hits(ALL) for _ in range(2)] == [False, not open]
