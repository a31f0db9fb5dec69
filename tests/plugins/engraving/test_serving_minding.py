"""An embedded server that ends under the application: it is started again where it was, or the application ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from galvo import PluginError
from galvo_embedded import Servers
from galvo_embedded.refusal import Refused
from galvo_engraving.serving import minding

pytestmark = pytest.mark.anyio


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    monkeypatch.setattr(minding, "LOOK", 0.01)
    folder = Path(tempfile.mkdtemp(prefix="galvo-test-"))  # a root's servers are nobody's: it is reached by them
    folder.chmod(0o711)
    made = Servers(folder)
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


def kill(url: str) -> None:
    with Redis.from_url(url) as client:
        os.kill(client.info("server")["process_id"], signal.SIGKILL)


async def test_it_is_started_again_where_it_was(servers: Servers) -> None:
    url, told = await servers.redis(), asyncio.Queue[str]()
    async with minding.minded(servers, told.put_nowait, lambda: None):
        for _ in range(2):
            kill(url)
            assert await told.get() == "Redis had ended and was started again"
            with Redis.from_url(url) as client:
                assert client.ping()


async def test_one_that_cannot_be_started_ends_the_application(servers: Servers) -> None:
    url, told, ended = await servers.redis(), asyncio.Queue[str](), asyncio.Event()

    def gone() -> Path:
        raise Refused("its wheel has gone")

    servers._redis_programs = gone

    async def serve() -> None:
        async with minding.minded(servers, told.put_nowait, ended.set):
            kill(url)
            await ended.wait()

    with pytest.raises(PluginError, match="its wheel has gone"):
        await serve()
    assert told.empty()
