"""Every way in which Django writes: what it wrote is seen at once, and nothing else is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from galvo import Kernel
from tests.plugins.asgi.orm.conftest import ALL, JOBS, NOTES, agrees, kept, rows, warm


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
