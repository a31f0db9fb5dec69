"""Caches as stores: each does what its operations say, or the run ends; what one cannot do is said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
from asyncpg import Record
from redis import Redis

from galvo import GalvoError
from galvo_bench.cache import memory_stores, operations, stores
from galvo_bench.method.rounds import AGAIN, Result
from galvo_bench.reports.table import show
from galvo_bench.results.model import Missing
from galvo_embedded import Servers
from tests.plugins.bench.test_subjects import OneRound

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning"),  # the peers' calls of redis-py
]


@pytest.fixture
def stand(server_dsn: str, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[OneRound]:
    redis = asyncio.run(servers.redis())
    monkeypatch.setattr(operations, "KEYS", 10)
    yield OneRound(server_dsn, redis)
    with Redis.from_url(redis) as client:
        assert client.info("keyspace") == {}, "the subject left keys behind"


async def test_operations(stand: OneRound, capsys: pytest.CaptureFixture[str]) -> None:
    sections = await operations.measure(stand)
    in_redis = 2 * len(operations.SINGLE) + len(operations.MANY)
    everyone = {"redis.asyncio, pickle", "galvo L2", *stores.PEERS}
    for section in sections:
        show(section)
    for section in sections[:in_redis]:
        without = {row.name for row in section.rows if isinstance(row, Missing)}
        measured = {row.name for row in section.rows if isinstance(row, Result)} - {AGAIN}
        assert measured | without == everyone
        if "delete" in section.title:
            assert without == {"galvo L2"}
        else:
            assert without == ({"galvo L2", "dogpile.cache"} if "expire" in section.title else set())
    in_memory = {section.title.split(":")[0]: section for section in sections[in_redis:]}
    assert list(in_memory) == [f"Memory, {name}" for name in ("get", "set", "delete", "get_many", "set_many")]
    names = [row.name for row in in_memory["Memory, set"].rows]
    assert names == ["async def, a dict", "galvo cached()", *memory_stores.PEERS, AGAIN]
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


async def test_a_store_that_does_not_delete_ends_the_run(stand: OneRound, monkeypatch: pytest.MonkeyPatch) -> None:
    async def keeping(url: str, records: list[Record], stack: AsyncExitStack) -> stores.Store:
        made = await stores.cashews(url, records, stack)

        async def nothing(key: str) -> Any:
            return True

        return msgspec.structs.replace(made, delete=nothing)

    monkeypatch.setattr(stores, "PEERS", {"cashews": keeping})
    with pytest.raises(GalvoError, match="cashews gives what was deleted"):
        await operations.measure(stand)


async def test_a_store_that_ends_in_the_middle_ends_the_run(stand: OneRound, monkeypatch: pytest.MonkeyPatch) -> None:
    """galvo's L2 does not raise when its Redis is gone: it says at once that there is nothing."""

    async def dying(url: str, records: list[Record], stack: AsyncExitStack) -> stores.Store:
        made, asked = await stores.cashews(url, records, stack), 0

        async def get(key: str) -> Any:
            nonlocal asked
            asked += 1
            return await made.get(key) if asked < 10 else None

        return msgspec.structs.replace(made, get=get)

    monkeypatch.setattr(stores, "PEERS", {"cashews": dying})
    with pytest.raises(GalvoError, match="cashews did not do all of what was timed: get"):
        await operations.measure(stand)


async def test_a_store_that_does_not_keep_what_was_timed_ends_the_run(
    stand: OneRound, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def losing(url: str, records: list[Record], stack: AsyncExitStack) -> stores.Store:
        made = await stores.cashews(url, records, stack)

        async def set(key: str) -> Any:
            return None if ":set:" in key else await made.set(key)

        return msgspec.structs.replace(made, set=set)

    monkeypatch.setattr(stores, "PEERS", {"cashews": losing})
    with pytest.raises(GalvoError, match="cashews did not do all of what was timed: set"):
        await operations.measure(stand)
