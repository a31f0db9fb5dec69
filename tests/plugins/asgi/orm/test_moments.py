"""Django's writes at bad moments: a commit under way or lost, a cache that comes, an event loop that stands still."""

from __future__ import annotations

import asyncio
import threading

import asyncpg
import pytest
from asgiref.sync import sync_to_async

from galvo import GalvoError, Kernel
from galvo_asgi.telling import announced
from tests.conftest import execute
from tests.plugins.asgi.conftest import waiting
from tests.plugins.asgi.orm.conftest import ALL, JOBS, LOCK, NOTES, UPDATE, agrees, kept, rows, warm


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
