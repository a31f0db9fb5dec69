"""The one Django project of a test process beside a kernel, and what the kernel answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asgiref.sync import sync_to_async

from galvo import Kernel
from galvo_asgi import started
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.conftest import execute
from tests.plugins.asgi.conftest import shop

ALL = "select id, name from material order by id"
JOBS = "select id, material_id from job order by id"
NOTES = "select text from note order by id"
UPDATE = "update material set name = 'late' where id = 1"
LOCK = 4712
SCHEMA = f"""
drop table part; drop table material;
create table material (id serial primary key, name text not null);
create table job (id serial primary key, material_id int not null references material on delete cascade);
create table note (id serial primary key, text text not null);
create table slow (id int);
create function wait() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock({LOCK}); return null; end $$;
create constraint trigger waits after insert on slow deferrable initially deferred
    for each row execute function wait();
create function log_it(line text) returns int language sql volatile as
    $$ insert into note (text) values (line) returning 1 $$;
create schema other;
create table other.note (id serial primary key, text text not null);
"""


@pytest.fixture(scope="session")
def shop_dsn(server_dsn: str) -> Iterator[str]:
    """One database for the one Django project of this process."""
    with shop(server_dsn) as dsn:
        asyncio.run(execute(dsn, SCHEMA))
        yield dsn


@pytest.fixture(scope="session", autouse=True)
def project(shop_dsn: str) -> None:
    """There can be no other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", shop_dsn)
        patch.setenv("DJANGO_SETTINGS_MODULE", "shopsite.settings")
        patch.syspath_prepend(Path(__file__).parents[1])
        import django

        django.setup()


def rows(table: str) -> Any:
    from shopsite import models

    return getattr(models, table).objects


@pytest.fixture
async def kernel(shop_dsn: str) -> AsyncIterator[Kernel]:
    await execute(shop_dsn, "truncate material, job, note, slow, other.note restart identity")
    await execute(shop_dsn, "insert into material (name) values ('birch'), ('oak'), ('ash')")
    await execute(shop_dsn, "insert into job (material_id) values (1), (2); insert into note (text) values ('first')")
    async with started(Kernel.of({CachePlugin: {"warm": 0}, PoolPlugin: {"url": shop_dsn}})) as kernel:
        yield kernel
        from django.db import connections

        await sync_to_async(connections.close_all)()


def hits(kernel: Kernel) -> int:
    return int(kernel.plugin_stats("cache")["hits"])


async def kept(kernel: Kernel, sql: str) -> bool:
    """Whether the next answer comes from memory."""
    before = hits(kernel)
    await kernel.fetch(sql)
    return hits(kernel) > before


async def warm(kernel: Kernel, *statements: str) -> None:
    for sql in statements:
        while not await kept(kernel, sql):  # the cache may still be settling
            pass


async def agrees(kernel: Kernel, dsn: str, *statements: str) -> None:
    """What the kernel says, twice, is what the database says."""
    plain = await asyncpg.connect(dsn)
    try:
        for sql in statements:
            truth = await plain.fetch(sql)
            assert [tuple(row) for row in await kernel.fetch(sql)] == [tuple(row) for row in truth], sql
            assert [tuple(row) for row in await kernel.fetch(sql)] == [tuple(row) for row in truth], sql
    finally:
        await plain.close()
