"""The values and descriptions of asyncpg's dialect, from the server and from the cache."""

from __future__ import annotations

import datetime as dt
import decimal
import ipaddress
import json
import uuid
from typing import Any

import pytest
from sqlalchemy import Numeric, insert, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tests.plugins.sqlalchemy.world import Everything, Size, world

pytestmark = pytest.mark.anyio
ROW: dict[str, Any] = {
    "exact": decimal.Decimal("12.5000"), "near": 0.1, "size": Size.large, "at": dt.datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001  # without, as its column is

    "day": dt.date(2026, 1, 2), "took": dt.timedelta(days=1, seconds=2), "key": uuid.UUID(int=7), "body": b"\0\xff",
    "plain": {"a": [1, None, "ü"]}, "binary": [{"b": 1.5}], "many": [{"c": 1}, None, [2]], "tags": ["x", ""],
    "span": Range(1, 5), "host": ipaddress.ip_address("10.0.0.1"),
}  # fmt: skip
TABLE = select(*Everything.__table__.columns)
STATEMENTS = [
    TABLE,
    TABLE.where(Everything.id == -1),
    text("select * from everything"),
    text("select *, exact * 2 as twice, near + 1, id::bigint from everything"),
    text('select plain, "binary", many, null::jsonb from everything'),
    text("select exact, near, id from everything").columns(
        exact=Numeric(asdecimal=False), near=Numeric(), id=Numeric()
    ),
    text("select id as a, id as a from everything"),
    text("select host, null::inet[], '10.0.0.0/8'::cidr, array['::1'::inet] from everything"),
    text("select name from shop where false"),
]


@pytest.mark.parametrize(
    "options", [{}, {"native_inet_types": False}, {"json_deserializer": lambda raw: ("J", json.loads(raw))}]
)
async def test_as_on_asyncpgs_dialect(dsn: str, options: dict[str, Any]) -> None:
    theirs = create_async_engine(dsn.replace("postgresql:", "postgresql+asyncpg:"), **options)
    async with world(dsn, **options) as one:
        row = {**ROW, "host": str(ROW["host"])} if "native_inet_types" in options else ROW
        async with one.session() as session:
            session.add(Everything(**row))
            await session.commit()
        for statement in STATEMENTS:
            async with theirs.connect() as connection:
                expected = await seen(connection, statement)
            for _ in ("from the server", "from the cache"):
                async with one.engine.connect() as connection:
                    before, queries = one.hits, one.kernel.plugin_stats("pool")["queries"]
                    assert await seen(connection, statement) == expected, statement
        assert one.hits > before
        assert one.kernel.plugin_stats("pool")["queries"] == queries
    await theirs.dispose()


async def seen(connection: Any, statement: Any) -> tuple[Any, ...]:
    result = await connection.execute(statement)
    rows = [tuple(row) for row in result.all()]
    return [*result.keys()], rows, [[type(value) for value in row] for row in rows]


async def test_a_caller_may_change_what_it_got(dsn: str) -> None:
    async with world(dsn) as one:
        async with one.session() as session:
            session.add(Everything(**ROW))
            await session.commit()
        for _ in range(3):
            async with one.session() as session:
                found = (await session.scalars(select(Everything))).one()
                assert {name: getattr(found, name) for name in ROW} == ROW
                found.plain["a"].append("mine")
                found.binary.clear()
                found.many[0]["c"] = 2
                found.tags.append("mine")
        assert one.hits == 2


async def test_streams(dsn: str) -> None:
    async with world(dsn) as one:
        async with one.session() as session:
            await session.execute(insert(Everything), [ROW] * 120)
            await session.commit()
        for size in (None, 7):
            async with one.engine.connect() as connection:
                result = await connection.stream(select(Everything.plain, Everything.many).limit(110))
                rows = (
                    [row async for row in result]
                    if size is None
                    else [row async for part in result.partitions(size) for row in part]
                )
                assert [tuple(row) for row in rows] == [(ROW["plain"], ROW["many"])] * 110


async def test_columns_that_come_and_types_that_change(dsn: str) -> None:
    theirs = create_async_engine(dsn.replace("postgresql:", "postgresql+asyncpg:"))
    changes = ["add b text default 'x'", "alter a type numeric using a", "drop a"]
    async with world(dsn) as one:
        async with one.engine.begin() as connection:
            await connection.execute(text("create table t (a int)"))
            await connection.execute(text("insert into t values (1)"))
        for change in ["alter a set not null", *changes]:
            async with one.engine.begin() as connection:
                await connection.execute(text(f"alter table t {change}"))
            for empty in ("", " where false"):
                async with theirs.connect() as connection:
                    expected = await seen(connection, text(f"select * from t{empty} --{change}"))
                for _ in range(2):
                    async with one.engine.connect() as connection:
                        assert await seen(connection, text(f"select * from t{empty}")) == expected
    await theirs.dispose()


async def test_an_enum_that_is_made_anew(dsn: str) -> None:
    """asyncpg remembers types by their OIDs; all connections of the pool forget them."""
    async with world(dsn) as one:
        for labels in ("'a', 'b'", "'c', 'd'"):
            async with one.engine.begin() as connection:
                await connection.execute(text("drop type if exists mood cascade"))
                await connection.execute(text(f"create type mood as enum ({labels})"))
                await connection.execute(text("drop table if exists felt"))
                await connection.execute(text("create table felt (mood mood)"))
                await connection.execute(text(f"insert into felt values ({labels.split(',')[0]})"))
            for _ in range(2):
                async with AsyncSession(one.engine) as session:
                    assert await session.scalar(text("select mood from felt")) == labels[1]
