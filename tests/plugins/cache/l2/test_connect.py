"""Every kind of URL, against the kind of server it names."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis, RedisCluster

from galvo_cache.l2 import Shelf, client_of, close
from galvo_cache.l2.breaker import Breaker
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.l2.redis_servers import (
    call,
    certificate,
    cluster,
    free_port,
    redis_server,
    start,
    tls_in_front_of,
    until,
)
from tests.plugins.cache.l2.test_shelf import STAMPS, found, put, rows_of

pytestmark = pytest.mark.anyio


async def works(url: str) -> None:
    """Stores and finds through the shelf, and talks through the client itself."""
    client = client_of(url, timeout=5.0, connect_timeout=5.0)
    shelf = Shelf(client, "test", timeout=5.0, connect_timeout=5.0)
    try:
        await put(shelf, b"k", rows_of(1))
        assert (await found(shelf, b"k")).rows == rows_of(1)
        assert await client.get("gv:test:e:k") is not None
    finally:
        await shelf.aclose()
        await close(client)


async def fails(url: str, reason: str) -> None:
    client = client_of(url, connect_timeout=5.0)
    shelf = Shelf(client, "test", timeout=5.0, connect_timeout=5.0)
    assert await shelf.get(b"k") is None
    assert shelf.counts[reason] == 1
    await shelf.aclose()
    await close(client)


async def test_unix_and_databases(own_redis: OwnRedis, redis: Redis) -> None:
    await works(f"{own_redis.url}?db=3")
    assert await redis.dbsize() == 0
    await works(f"{own_redis.url}?protocol=2")
    assert await redis.dbsize() == 2


async def test_tcp_password_and_user(folder: Path) -> None:
    with redis_server(folder, "--requirepass", "secret/word") as port:
        await works(f"redis://:secret%2Fword@127.0.0.1:{port}/1")
        await works(f"redis://default:secret%2Fword@127.0.0.1:{port}?protocol=2")
        await fails(f"redis://:wrong@127.0.0.1:{port}", "errors")
        await fails(f"redis://127.0.0.1:{port}", "errors")


async def test_tls_is_verified(folder: Path, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with redis_server(folder) as port:
        async with tls_in_front_of(port, cert, key) as secure:
            await works(f"rediss://localhost:{secure}/0?ssl_ca_certs={cert}")
            await works(f"rediss://127.0.0.1:{secure}/0?ssl_ca_certs={cert}")
            await fails(f"rediss://localhost:{secure}/0", "errors")


async def test_a_certificate_for_another_host_is_refused(folder: Path, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with redis_server(folder) as port:
        async with tls_in_front_of(port, cert, key) as secure:
            await fails(f"rediss://127.0.0.2:{secure}/0?ssl_ca_certs={cert}", "errors")


async def test_a_cluster(folder: Path) -> None:
    with cluster(folder) as ports:
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        await works(f"redis+cluster://{hosts}")
        client = client_of(f"redis+cluster://127.0.0.1:{ports[0]}", timeout=5.0, connect_timeout=5.0)
        assert isinstance(client, RedisCluster)
        shelf = Shelf(client, "test", timeout=5.0)
        keys = [b"%d" % number for number in range(100)]
        await put(shelf, b"first", rows_of(0))
        for key in keys:
            assert shelf.set(key, rows_of(1), stamps=STAMPS, created=time.time(), cost=0.0, ttl=60)
        await shelf.drain()
        answers = await shelf.get_many(keys)
        assert [answer and answer.rows for answer in answers] == [rows_of(1)] * 100
        sizes = [call(port, "DBSIZE") for port in ports]
        assert all(isinstance(size, int) and size > 10 for size in sizes), sizes
        await shelf.delete_pattern()
        assert await shelf.get_many(keys) == [None] * 100
        assert await shelf.unlink_pattern("gv:test:e:*") >= 100
        await shelf.aclose()
        await close(client)


async def test_a_cluster_that_lost_a_node_is_misses(folder: Path) -> None:
    with ExitStack() as stack:
        ports = stack.enter_context(cluster(folder))
        client = client_of(f"redis+cluster://127.0.0.1:{ports[0]}", timeout=0.5, connect_timeout=0.5)
        shelf = Shelf(client, "test", timeout=1.0)
        await put(shelf, b"k", rows_of(1))
        stack.close()
        for _ in range(12):
            assert await shelf.get(b"k") is None
        assert shelf.breaker.state == "open"
        await shelf.aclose()
        await close(client)


async def test_sentinels_and_a_failover(folder: Path) -> None:
    with ExitStack() as stack:
        master = stack.enter_context(redis_server(folder))
        replica = stack.enter_context(redis_server(folder, "--replicaof", "127.0.0.1", str(master)))
        until(lambda: b"master_link_status:up" in bytes_of(call(replica, "INFO", "replication")))
        port = free_port()
        home = folder / "sentinel"
        home.mkdir()
        config = home / "sentinel.conf"
        config.write_text(
            f"sentinel monitor main 127.0.0.1 {master} 1\nsentinel down-after-milliseconds main 1000\n"
            "sentinel failover-timeout main 5000\n"
        )
        process = start(port, home, str(config), "--sentinel")
        stack.callback(process.wait)
        stack.callback(process.kill)
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/main?db=2"
        await works(url)
        client = client_of(url, timeout=5.0, connect_timeout=5.0)
        shelf = Shelf(client, "test", timeout=5.0, breaker=Breaker(cooldown=0.05, longest=0.1))
        await put(shelf, b"k", rows_of(1))
        until(lambda: b"num-slaves" in bytes_of(call(port, "SENTINEL", "MASTER", "main")) and replicas(port) == 1)
        until(lambda: call(port, "SENTINEL", "FAILOVER", "main"))
        until(lambda: str(replica) in str(call(port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")))
        until(lambda: b"role:master" in bytes_of(call(replica, "INFO", "replication")))
        until(lambda: b"role:slave" in bytes_of(call(master, "INFO", "replication")))
        for number in range(500):
            await shelf.get(b"new")
            shelf.set(b"new", rows_of(number), stamps=STAMPS, created=0.0, cost=0.0, ttl=60)
            await shelf.drain()
            if call(replica, "CONFIG", "GET", "port") and new_master_has_it(replica):
                break
            await asyncio.sleep(0.02)
        assert new_master_has_it(replica)
        await shelf.aclose()
        await close(client)


def replicas(port: int) -> int:
    answer = call(port, "SENTINEL", "REPLICAS", "main")
    return len(answer) if isinstance(answer, list) else 0


def new_master_has_it(port: int) -> bool:
    with redis.Redis(port=port, db=2) as client:
        return bool(client.exists("gv:test:e:new"))


def bytes_of(answer: object) -> bytes:
    return str(answer).replace("': '", ":").replace("': ", ":").encode()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "secret",
        "http://secret@host",
        "redis://:secret@host:notaport",
        "redis://:secret@host/notanumber",
        "redis://:secret@host:99999999/0",
        "unix://",
        "redis+sentinel://:secret@host:26379",
        "redis+sentinel://:secret@/main",
        "redis+sentinel://:secret@host:x/main",
        "redis+cluster://:secret@host:6379/5",
        "redis+cluster://:secret@",
        "redis://:secret@host?socket_timeout=secret",
        "redis://:secret@host?nonsense=secret",
        "redis://:secret@[::1",
    ],
)
def test_a_wrong_url_is_one_sentence_without_the_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the URL of Redis is not usable: [^\n]+$") as caught:
        client_of(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
