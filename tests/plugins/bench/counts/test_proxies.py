"""What is counted between an application and its servers is what it has asked, and it gets what they answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from galvo_bench.counts import proxy, redis_proxy
from galvo_cache.coherence.scripts import PULSE, RELEASE
from galvo_cache.coherence.server import Server
from galvo_embedded import Servers

pytestmark = pytest.mark.anyio


async def test_queries_are_counted(server_dsn: str) -> None:
    counts = proxy.Counts()
    async with proxy.counted(server_dsn, counts) as url, asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        await pool.fetchval("select $1::int", 1)
        counts.clear()
        for number in range(10):
            assert await pool.fetchval("select $1::int", number) == number
        assert (counts["queries"], counts["resets"], counts["trips"]) == (10, 10, 20)
        assert counts["out"] > 10 * len(proxy.RESET), "bytes of the resets alone"
        assert counts["back"] > 10 * 4, "bytes of the answers alone"
        assert "connections" not in counts, "it was made before"
        counts.clear()
        async with pool.acquire() as con, con.transaction():
            await con.execute("set local work_mem = '5MB'")
        assert counts["queries"] == 3, "begin and commit are queries as well"


async def test_preparing_a_statement_is_a_round_trip(server_dsn: str) -> None:
    counts = proxy.Counts()
    async with proxy.counted(server_dsn, counts) as url:
        connection = await asyncpg.connect(url)
        assert counts["connections"] == 1
        counts.clear()
        await connection.fetchval("select $1::int + 1", 1)
        assert (counts["queries"], counts["trips"]) == (1, 2)
        await connection.fetchval("select $1::int + 1", 2)
        assert (counts["queries"], counts["trips"]) == (2, 3)
        await connection.close()


async def test_copy_in_pieces_is_one_query(server_dsn: str) -> None:
    counts = proxy.Counts()
    rows = [(number, "x" * 1_000) for number in range(1_000)]
    async with proxy.counted(server_dsn, counts) as url:
        connection = await asyncpg.connect(url)
        await connection.execute("create temporary table much (id int, text text)")
        counts.clear()
        await connection.copy_records_to_table("much", records=rows)
        assert counts["queries"] == 1
        assert counts["out"] > 1_000_000 > counts["back"]
        counts.clear()
        assert len(await connection.fetch("select * from much")) == 1_000
        assert counts["back"] > 1_000_000 > counts["out"]
        await connection.close()


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[tuple[Redis, redis_proxy.Commands]]:
    """Through the proxy, which has counted nothing yet."""
    counts = redis_proxy.Commands()
    async with redis_proxy.counted(await servers.redis(), counts) as url, Redis.from_url(url) as client:
        await client.ping()
        counts.clear()
        yield client, counts
        await client.delete("counted:1", "counted:2")


async def test_commands_are_counted(redis: tuple[Redis, redis_proxy.Commands]) -> None:
    client, counts = redis
    async with client.pipeline(transaction=False) as together:
        await together.set("counted:1", b"one").set("counted:2", b"two\r\n$3").execute()
    assert counts["commands"] == 2
    assert await client.mget("counted:1", "counted:2", "counted:3") == [b"one", b"two\r\n$3", None]
    assert await client.hgetall("counted:3") == {}
    await client.ping()
    assert counts["commands"] == 4, "pings are nobody's"


async def test_bytes_are_those_of_answers(redis: tuple[Redis, redis_proxy.Commands]) -> None:
    client, counts = redis
    await client.set("counted:1", b"v" * 1_000)
    stored = counts["answers"]
    assert 1_000 < stored < 1_100
    await client.get("counted:1")
    assert 1_000 < counts["answers"] - stored < 1_100
    counts.clear()
    await client.exists("counted:1", "counted:2")
    assert counts == {"commands": 1, "answers": 0}


async def test_heartbeats_are_not_counted_and_other_scripts_are(redis: tuple[Redis, redis_proxy.Commands]) -> None:
    client, counts = redis
    server = Server(client, "counted-beats", 1.0, 10.0)
    await server.run(RELEASE)
    counts.clear()
    await server.run(PULSE, b"member", 1_100, 1_000, b"pulse", "-")
    assert counts["commands"] == 0
    await server.run(RELEASE)
    assert counts["commands"] == 1
    await client.delete(*server.keys)


async def test_who_is_subscribed_hears_through_it(redis: tuple[Redis, redis_proxy.Commands]) -> None:
    client, counts = redis
    async with client.pubsub() as heard:
        await heard.subscribe("counted")
        while await heard.get_message(timeout=10) is None:
            pass
        await client.publish("counted", b"word")
        async with asyncio.timeout(30):
            while (said := await heard.get_message(timeout=10)) is None or said["type"] != "message":
                pass
    assert said["data"] == b"word"
    assert counts["answers"] == 0
