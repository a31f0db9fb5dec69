"""The same application under uvicorn: signals, workers, clients that go, a database that is not there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.plugins.asgi.conftest import until_alone, waiting
from tests.plugins.asgi.serving import Served, served
from tests.plugins.asgi.shop import LOCK


@pytest.fixture
def server(shop_dsn: str, tmp_path: Path) -> Iterator[Served]:
    with served("shop:app", tmp_path, {"DATABASE_URL": shop_dsn}) as server:
        yield server


@asynccontextmanager
async def held(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """What the application waits for, until the block ends."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(f"select pg_advisory_xact_lock({LOCK})")
            yield connection
    finally:
        await connection.close()


@pytest.mark.anyio
async def test_a_client_that_goes_takes_its_transaction_along_and_sigterm_does_not(
    server: Served, shop_dsn: str
) -> None:
    url = httpx.URL(server.url)
    async with held(shop_dsn) as connection:
        with socket.create_connection((url.host, url.port or 0)) as client:
            client.sendall(b"POST /name/7/elm?then=wait HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n")
            await asyncio.wait_for(waiting(connection), 30)
    async with httpx.AsyncClient(base_url=str(url), timeout=30) as client:
        assert (await client.get("/waits")).status_code == 200  # the other has had its turn
        assert (await client.get("/name/7")).json() is None
        async with held(shop_dsn) as connection:
            running = asyncio.create_task(client.post("/name/8/elm?then=wait"))
            await asyncio.wait_for(waiting(connection), 30)
            server.process.terminate()
            await asyncio.to_thread(server.until, "Shutting down")
            assert not running.done()
        assert (await running).json() == "done"
    assert await asyncio.to_thread(server.ended) == -15
    assert "Finished server process" in server.text
    assert "Traceback" not in server.text
    await asyncio.wait_for(until_alone(shop_dsn), 10)


def test_each_worker_has_a_kernel(shop_dsn: str, tmp_path: Path) -> None:
    with served("shop:app", tmp_path, {"DATABASE_URL": shop_dsn}, "--workers", "2") as server:
        server.until("Application startup complete", 2)
        pids = set()
        while len(pids) < 2:
            pids.add(httpx.get(f"{server.url}/waits", timeout=30).json())
        assert server.stop() == 0
        server.until("Application shutdown complete", 2)
    asyncio.run(asyncio.wait_for(until_alone(shop_dsn), 10))


@pytest.mark.parametrize(
    "app, environment, why",
    [
        (
            "refused:starlette",
            {"GALVO_POOL__URL": "postgresql://nobody@127.0.0.1:1/none"},
            "plugin 'pool': nothing listens at 127.0.0.1:1",
        ),
        ("refused:wrapped", {"GALVO_POOL__MIN_SIZE": "many"}, "[pool] min_size: input should be"),
    ],
    ids=["unreachable", "wrong setting"],
)
def test_a_start_that_fails_is_one_sentence(tmp_path: Path, app: str, environment: dict[str, str], why: str) -> None:
    off = {f"GALVO_{name}__ON": "false" for name in ("CACHE", "EMBEDDED", "INDEX", "MEMORY", "MONITOR", "TASKS")}
    with served(app, tmp_path, {**off, **environment}) as server:
        assert server.ended() == 3
    errors = [line for line in server.lines if not line.startswith("INFO:")]
    assert len(errors) == 2, server.text
    assert errors[0].startswith(f"ERROR:    the kernel cannot start: {why}")
    assert errors[1] == "ERROR:    Application startup failed. Exiting.\n"
