from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from galvo_embedded import Servers
from galvo_engraving.load import load
from tests.conftest import NUMBERS
from tests.plugins.engraving.http.stand import FEW, SUBSETS, Api, running
from tests.thorough import THOROUGH

SCALE = 0.02
FILLED = f"engraving_{os.getpid()}"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def filled(server_dsn: str) -> Iterator[str]:
    """The name of a database with a small shop in it, to be copied."""
    import asyncio

    async def fill() -> None:
        top = await asyncpg.connect(server_dsn)
        await top.execute(f'create database "{FILLED}"')
        await top.close()
        connection = await asyncpg.connect(server_dsn.replace("/postgres?", f"/{FILLED}?"))
        await load(connection, SCALE)
        await connection.close()

    async def drop() -> None:
        top = await asyncpg.connect(server_dsn)
        await top.execute(f'drop database "{FILLED}" with (force)')
        await top.close()

    asyncio.run(fill())
    yield FILLED
    asyncio.run(drop())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A file's `SUBSETS`; else all plugins and none, and in the thorough run each one missing as well."""
    if "subset" in metafunc.fixturenames:
        chosen = getattr(metafunc.module, "SUBSETS", SUBSETS if THOROUGH else FEW)
        metafunc.parametrize("subset", chosen, indirect=True, scope="module")


@pytest.fixture(scope="module")
def subset(request: pytest.FixtureRequest) -> str:
    """Which plugins are on."""
    return str(request.param)


@pytest.fixture(scope="module")
async def shop_dsn(anyio_backend: str, subset: str, filled: str, server_dsn: str) -> AsyncIterator[str]:
    """A shop of this file's own, for each set of plugins."""
    name = f"{filled}_{next(NUMBERS)}"
    top = await asyncpg.connect(server_dsn)
    try:
        await top.execute(f'create database "{name}" template "{filled}" strategy = file_copy')
        yield server_dsn.replace("/postgres?", f"/{name}?")
        await top.execute(f'drop database "{name}" with (force)')
    finally:
        await top.close()


@pytest.fixture(scope="module")
async def api(subset: str, shop_dsn: str, servers: Servers) -> AsyncIterator[Api]:
    """The application, once with each set of plugins; the shop's rows stay from one test of a file to the next."""
    async with running(subset, shop_dsn, await servers.redis()) as made:
        yield made
