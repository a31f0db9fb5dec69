"""Django's ORM beside the kernel: what it writes is never answered from before, and nothing else is forgotten."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asgiref.sync import sync_to_async

from galvo import GalvoError, Kernel, KernelClosed
from galvo_asgi import started
from galvo_asgi.telling import announced
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from tests.conftest import execute
from tests.plugins.asgi.conftest import waiting

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


@pytest.fixture(scope="module", autouse=True)
def project(shop_dsn: str) -> Iterator[None]:
    """The one Django project of this process; there can be no other."""
    asyncio.run(execute(shop_dsn, SCHEMA))
    os.environ |= {"DATABASE_URL": shop_dsn, "DJANGO_SETTINGS_MODULE": "shopsite.settings"}
    sys.path.insert(0, str(Path(__file__).parent))
    import django

    django.setup()
    yield
    sys.path.remove(str(Path(__file__).parent))
    del os.environ["DATABASE_URL"], os.environ["DJANGO_SETTINGS_MODULE"]


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


async def create() -> None:
    await rows("Material").acreate(name="elm")


async def save() -> None:
    found = await rows("Material").aget(id=1)
    found.name = "beech"
    await found.asave()


async def update() -> None:
    await rows("Material").filter(id__in=[1, 2]).aupdate(name="100 % oak")


async def delete_and_cascade() -> None:
    await (await rows("Material").aget(id=2)).adelete()


async def bulk() -> None:
    from shopsite.models import Material

    made = await rows("Material").abulk_create([Material(name="a"), Material(name="b")])
    made[0].name = "c"
    await rows("Material").abulk_update(made, ["name"])


async def get_or_create() -> None:
    await rows("Material").aget_or_create(name="walnut")
    await rows("Material").aupdate_or_create(name="walnut", defaults={"name": "teak"})


def raw() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("update material set name = %s where id = %s and name <> '%%'", ["x", "1"])
        cursor.execute("delete from note where id = %(id)s", {"id": 1})
        cursor.executemany("insert into job (material_id) values (%s)", [(1,), (1,)])


def raw_with() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("with gone as (delete from job returning id) insert into note (text) select id::text from gone")


def script() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("begin; insert into note (text) values ('100%'); commit; delete from job")


def composed() -> None:
    from django.db import connection
    from psycopg import sql

    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("update {} set name = 'composed'").format(sql.Identifier("material")))


def copy() -> None:
    from django.db import connection

    with connection.cursor() as cursor, cursor.copy("copy material (name) from stdin") as rows:
        rows.write_row(["pine"])


def function() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select log_it(%s)", ["logged"])


def procedure() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.callproc("log_it", ["called"])


def atomic() -> None:
    from django.db import transaction

    with transaction.atomic():
        rows("Material").filter(id=1).update(name="atomic")
        with suppress(ZeroDivisionError), transaction.atomic():
            rows("Job").all().delete()
            raise ZeroDivisionError
        with transaction.atomic():
            rows("Note").create(text="inner")


def atomic_copy_and_script() -> None:
    from django.db import transaction

    with transaction.atomic():
        copy()
        function()


def atomic_only_by_name() -> None:
    """What a script commits by itself, no rollback takes back."""
    from django.db import connection, transaction

    with suppress(ZeroDivisionError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("insert into note (text) values ('stays'); commit; begin")
        raise ZeroDivisionError


def without_autocommit() -> None:
    from django.db import transaction

    transaction.set_autocommit(False)
    try:
        rows("Material").filter(id=1).update(name="by hand")
        transaction.commit()
        rows("Note").create(text="by hand")
        transaction.commit()
    finally:
        transaction.set_autocommit(True)


def elsewhere() -> None:
    """The same name is another table in this session."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("set search_path = other, public")
        cursor.execute("insert into note (text) values ('elsewhere')")
        cursor.execute("reset search_path")


def schema() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("alter table note add column extra int default 3; update note set text = 'altered'")
        cursor.execute("alter table note drop column extra")


WRITERS: list[Callable[[], Any]] = [
    create, save, update, delete_and_cascade, bulk, get_or_create, raw, raw_with, script, composed, copy, function,
    procedure, atomic, atomic_copy_and_script, atomic_only_by_name, without_autocommit, elsewhere, schema,
]  # fmt: skip


@pytest.mark.anyio
async def test_whatever_writes_is_seen_at_once(kernel: Kernel, shop_dsn: str) -> None:
    """One kernel for all, and everything in memory before each."""
    elsewhere = "select text from other.note order by id"
    statements = (ALL, JOBS, NOTES, elsewhere)
    for writer in WRITERS:
        await warm(kernel, *statements)
        if asyncio.iscoroutinefunction(writer):
            await writer()
        else:
            await sync_to_async(writer)()
        try:
            await agrees(kernel, shop_dsn, *statements)
        except AssertionError as error:
            raise AssertionError(f"after {writer.__name__}: {error}") from None


@pytest.mark.anyio
async def test_what_is_not_written_stays_in_memory(kernel: Kernel) -> None:
    await warm(kernel, ALL, JOBS, NOTES)

    def work() -> None:
        from django.db import transaction

        with suppress(ZeroDivisionError), transaction.atomic():
            rows("Material").filter(id=1).update(name="never")
            raise ZeroDivisionError
        with transaction.atomic():
            [*rows("Material").select_for_update()]
        assert rows("Job").count() == 2
        assert [*rows("Material").values_list("name", flat=True).iterator()]
        rows("Note").create(text="second")

    await sync_to_async(work)()
    assert await kept(kernel, ALL)
    assert await kept(kernel, JOBS)
    assert not await kept(kernel, NOTES)


@pytest.mark.anyio
async def test_while_a_commit_runs_nothing_is_kept_that_was_before_it(kernel: Kernel, shop_dsn: str) -> None:
    """Another reader may see the old row until then, but nobody keeps it."""

    def work() -> None:
        from django.db import connection, transaction

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("insert into slow values (1)")  # its trigger waits at the COMMIT
            rows("Material").filter(id=1).update(name="at last")

    await warm(kernel, ALL, NOTES)
    gate = await asyncpg.connect(shop_dsn)
    try:
        async with gate.transaction():
            await gate.execute(f"select pg_advisory_xact_lock({LOCK})")
            running = asyncio.create_task(sync_to_async(work)())
            await waiting(gate)
            assert kernel.plugin_stats("cache")["pending"] >= 1
            for _ in range(2):
                assert not await kept(kernel, ALL)
        await running
    finally:
        await gate.close()
    await agrees(kernel, shop_dsn, ALL)
    assert kernel.plugin_stats("cache")["pending"] == 0


@pytest.mark.anyio
async def test_a_commit_that_fails_or_is_lost_is_no_danger(kernel: Kernel, shop_dsn: str) -> None:
    def refused() -> None:
        from django.db import connection, transaction

        with transaction.atomic():
            rows("Material").filter(id=2).update(name="never")
            with connection.cursor() as cursor:
                cursor.execute("select pg_backend_pid()")
                pid = cursor.fetchone()[0]
            asyncio.run(execute(shop_dsn, f"select pg_terminate_backend({pid}, 5000)"))

    from django.db import Error

    await warm(kernel, ALL, NOTES)
    with pytest.raises(Error):
        await sync_to_async(refused)()
    assert kernel.plugin_stats("cache")["pending"] >= 1  # nobody knows: for a while its tables are not answered for
    await agrees(kernel, shop_dsn, ALL)
    assert await kept(kernel, NOTES)

    from django.db import connections

    await sync_to_async(connections.close_all)()
    with pytest.raises(Error):
        await rows("Job").acreate(material_id=99)
    await agrees(kernel, shop_dsn, JOBS)


@pytest.mark.anyio
async def test_more_statements_than_are_remembered(
    kernel: Kernel, shop_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("galvo_asgi.django.announcing.MOST", 5)

    def work() -> None:
        from django.db import connection, transaction

        with transaction.atomic(), connection.cursor() as cursor:
            for number in range(6):
                cursor.execute(f"insert into note (text) values ('{number}')")
            rows("Job").all().delete()

    await warm(kernel, ALL, JOBS, NOTES)
    await sync_to_async(work)()
    await agrees(kernel, shop_dsn, ALL, JOBS, NOTES)


@pytest.mark.anyio
async def test_a_cache_that_comes_while_a_transaction_runs_hears_of_it(kernel: Kernel, shop_dsn: str) -> None:
    await kernel.disable("cache")
    began, go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        from django.db import transaction

        with transaction.atomic():
            rows("Material").filter(id=1).update(name="before it came")
            loop.call_soon_threadsafe(began.set)
            asyncio.run_coroutine_threadsafe(go.wait(), loop).result(60)

    running = asyncio.create_task(sync_to_async(work)())
    await began.wait()
    await kernel.enable("cache")
    await warm(kernel, ALL)
    go.set()
    await running
    await agrees(kernel, shop_dsn, ALL)


@pytest.mark.anyio
async def test_a_cache_that_comes_while_a_statement_runs_hears_of_it(kernel: Kernel, shop_dsn: str) -> None:
    await kernel.disable("cache")
    loop = asyncio.get_running_loop()

    async def comes() -> None:
        await kernel.enable("cache")
        await warm(kernel, ALL)

    def write() -> None:
        asyncio.run_coroutine_threadsafe(comes(), loop).result(60)
        asyncio.run(execute(shop_dsn, UPDATE))

    await asyncio.to_thread(announced, [UPDATE], write)
    await agrees(kernel, shop_dsn, ALL)


@pytest.mark.anyio
async def test_an_event_loop_that_stands_still(
    kernel: Kernel, shop_dsn: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Before a write it is refused, and after one the cache keeps away from its tables until it knows."""
    monkeypatch.setattr("galvo_asgi.telling.PATIENCE", 0.1)
    from django.db import connections

    loop, over = asyncio.get_running_loop(), threading.Event()
    errors: list[str] = []

    def work() -> None:
        try:
            rows("Material").filter(id=1).update(name="never")
        except GalvoError as error:
            errors.append(str(error))
        connections.close_all()
        over.set()

    await warm(kernel, ALL)
    refused = threading.Thread(target=work)
    refused.start()
    over.wait(60)
    refused.join()
    assert errors == ["the event loop did not answer for 0.1 s: something blocks it"]
    await agrees(kernel, shop_dsn, ALL)

    def write() -> None:
        asyncio.run(execute(shop_dsn, UPDATE))
        over.clear()
        loop.call_soon_threadsafe(over.wait, 60)

    def told() -> None:
        announced([UPDATE], write)
        over.set()

    await warm(kernel, ALL)
    await asyncio.to_thread(told)
    assert "the cache does not know yet that it has ended" in caplog.text
    await agrees(kernel, shop_dsn, ALL)
    while kernel.plugin_stats("cache")["pending"]:  # noqa: ASYNC110  # it is told now
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_wrong_uses_are_told_in_one_sentence(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    from galvo_asgi.django import kernel as found
    from galvo_asgi.django import url

    assert found() is kernel
    with pytest.raises(GalvoError, match=r"a sync view has no event loop .* write `async def`"):
        await sync_to_async(found)()
    with pytest.raises(KernelClosed, match=r"write application = with_kernel\(get_asgi_application\(\)\) in asgi.py"):
        await asyncio.to_thread(asyncio.run, _call(found))
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with _closing(), pytest.raises(GalvoError, match=r"own thread: call its async methods .*DJANGO_ALLOW_ASYNC_UNSAFE"):
        rows("Material").create(name="never")
    assert await kernel.fetchval("select count(*) from material where name = 'never'") == 0
    with pytest.raises(GalvoError, match="sqlite, and galvo speaks PostgreSQL only"):
        _url_of(url, {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"})


async def _call(function: Callable[[], Any]) -> Any:
    return function()


@contextmanager
def _closing() -> Iterator[None]:
    from django.db import connections

    yield
    connections.close_all()


def _url_of(url: Any, settings: dict[str, Any]) -> str:
    from django.db import connections

    connections.settings["made"] = connections.configure_settings({"default": settings})["default"]
    try:
        return str(url("made"))
    finally:
        del connections["made"]
        del connections.settings["made"]


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"NAME": "shop"}, "postgresql:///shop"),
        ({"NAME": "shop", "HOST": "db", "PORT": 5433}, "postgresql://db:5433/shop"),
        ({"NAME": "a/b", "USER": "u@x", "PASSWORD": "p:/?", "HOST": "::1"}, "postgresql://u%40x:p%3A%2F%3F@[::1]/a%2Fb"),
        (
            {"NAME": "s", "USER": "u", "HOST": "/pg", "PORT": "5433", "OPTIONS": {"sslmode": "require", "pool": True}},
            "postgresql://u@/s?sslmode=require&host=%2Fpg&port=5433",
        ),
    ],
)  # fmt: skip
def test_url_of_djangos_settings(settings: dict[str, Any], expected: str) -> None:
    from galvo_asgi.django import url

    assert _url_of(url, {"ENGINE": "galvo_asgi.django.postgresql", **settings}) == expected
