"""Whatever Redis does, and whatever lies in it: a miss with a counted reason, in time, and never an exception."""

from __future__ import annotations

import asyncio
import os
import pickle
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from galvo import Row, Rows
from galvo_cache.l2 import Shelf, client_of
from galvo_cache.l2.breaker import Breaker
from galvo_cache.l2.errors import Unavailable
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.cache.l2.test_shelf import STAMPS, found, put, rows_of
from tests.plugins.cache.l2.wrong_server import Answer, endless, hang_up, reset, says, silence, wrong_server

pytestmark = pytest.mark.anyio
KEY = b"gv:test:e:k"
SAID: Any = {"stamps": STAMPS, "created": 0.0, "cost": 0.0, "ttl": 9.0}


@asynccontextmanager
async def shelf_at(url: str, **options: Any) -> AsyncIterator[Shelf]:
    client = client_of(url)
    shelf = Shelf(client, "test", **{"timeout": 5.0} | options)
    yield shelf
    await shelf.aclose()
    await client.aclose()


async def valid(shelf: Shelf, redis: Redis) -> bytes:
    await put(shelf, b"k", rows_of(1))
    value = await redis.get(KEY)
    assert value is not None
    return bytes(value)


class Trap:
    """Executes code when it is unpickled."""

    def __init__(self, made: Path) -> None:
        self.made = str(made)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.made,)


async def test_values_that_are_not_ours_are_misses_with_a_reason(shelf: Shelf, redis: Redis, tmp_path: Path) -> None:
    value = await valid(shelf, redis)
    changed = bytearray(value)
    changed[20] ^= 1
    bomb = zlib.compress(b"\0" * 100_000_000, 9)
    body = value[:4] + b"\x01" + len(bomb).to_bytes(4, "big") + bomb
    trap = pickle.dumps(Trap(tmp_path / "trap"))
    wrong = {
        b"\x00garbage": "foreign",
        b"": "truncated",
        value[:-1]: "truncated",
        bytes(changed): "garbage",
        value[:2] + b"\x07" + value[3:]: "codec_version",
        value[:3] + b"p" + trap: "codec_version",
        trap: "foreign",
        body + zlib.crc32(body, zlib.crc32(KEY)).to_bytes(4, "big"): "bomb",
        b"gv" + b"x" * (2**20 + 200): "too_large",
    }
    for sealed, reason in wrong.items():
        before = shelf.counts[f"rejected_{reason}"]
        await redis.set(KEY, sealed)
        assert await shelf.get(b"k") is None
        assert shelf.counts[f"rejected_{reason}"] == before + 1, (reason, shelf.counts)
    await redis.set(KEY, value)
    assert (await found(shelf, b"k")).rows == rows_of(1)
    assert shelf.breaker.state == "closed"
    assert not (tmp_path / "trap").exists()
    pickle.loads(trap)  # noqa: S301  # it would have worked
    assert (tmp_path / "trap").exists()


async def test_an_unsigned_or_moved_value_is_forged_where_signatures_are_required(
    own_redis: OwnRedis, redis: Redis, shelf: Shelf
) -> None:
    plain = await valid(shelf, redis)
    for form in ("pickle", "msgpack"):
        async with shelf_at(own_redis.url, form=form, signing_key=bytes(32)) as signed:
            await put(signed, b"k", rows_of(2))
            assert (await found(signed, b"k")).rows == rows_of(2)
            ours = await redis.get(KEY)
            await redis.set(KEY, ours[:-32] + os.urandom(32))
            assert await signed.get(b"k") is None
            await redis.set(b"gv:test:e:other", ours)
            assert await signed.get(b"other") is None
            assert signed.counts["rejected_forged"] == 2
            if form == "msgpack":
                await redis.set(KEY, plain + b"x" * 100)
                assert await signed.get(b"k") is None


async def test_a_value_of_100_mb_is_not_read_to_its_end(shelf: Shelf, redis: Redis) -> None:
    await valid(shelf, redis)
    await redis.setrange(b"gv:test:e:huge", 100_000_000, b"x")
    answers = await shelf.get_many([b"k", b"huge", b"absent"])
    assert [answer is not None for answer in answers] == [True, False, False]
    assert (shelf.counts["rejected_too_large"], shelf.counts["hits"]) == (1, 1)
    assert shelf.counts["bytes_in"] < 1_000
    assert shelf.breaker.state == "closed"


async def test_a_key_of_another_type_is_a_miss(shelf: Shelf, redis: Redis) -> None:
    await valid(shelf, redis)
    await redis.lpush("gv:test:e:list", "x")
    assert await shelf.get(b"list") is None
    await redis.delete("gv:test:epoch")
    await redis.lpush("gv:test:epoch", "x")
    assert await shelf.get(b"k") is None
    await put(shelf, b"k", rows_of(2))
    assert (await found(shelf, b"k")).rows == rows_of(2)


WRONG: dict[str, tuple[Answer, str]] = {
    "garbage": (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "errors"),
    "half a reply": (says(b"*2\r\n$-1\r\n$500\r\nabc"), "timeouts"),
    "nothing": (silence, "timeouts"),
    "an error": (says(b"-LOADING Redis is loading\r\n"), "errors"),
    "another type": (says(b":1\r\n"), "errors"),
    "a list of numbers": (says(b"*2\r\n$-1\r\n:1\r\n"), "errors"),
    "too few values": (says(b"*1\r\n$-1\r\n"), "errors"),
    "too many values": (says(b"*3\r\n$-1\r\n$-1\r\n$-1\r\n"), "errors"),
    "a null list": (says(b"*-1\r\n"), "errors"),
    "a negative length": (says(b"$-7\r\n"), "errors"),
    "a huge length": (says(b"*99999999999\r\n"), "errors"),
    "a deep list": (says(b"*1\r\n" * 10_000), "errors"),
    "a push": (says(b">2\r\n$10\r\ninvalidate\r\n_\r\n"), "errors"),
    "hanging up": (hang_up, "errors"),
    "a reset": (reset, "errors"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_server_that_answers_wrongly_is_a_miss(name: str, folder: Path) -> None:
    answer, reason = WRONG[name]
    async with wrong_server(answer, folder) as url, shelf_at(url, timeout=0.2) as shelf:
        shelf.epoch = b"e" * 12
        for _ in range(8):
            assert await asyncio.gather(*(shelf.get(b"%d" % number) for number in range(3))) == [None] * 3
            shelf.set(b"k", rows_of(1), **SAID)
        await shelf.drain()
        assert shelf.counts[reason] > 0, shelf.counts
        assert shelf.counts["hits"] == 0
        assert shelf.breaker.state == "open"
        assert shelf.counts["skipped_open"] > 0


async def test_answers_that_nobody_asked_for_are_not_believed(shelf: Shelf, folder: Path, redis: Redis) -> None:
    value = await valid(shelf, redis)
    reply = b"*2\r\n$12\r\n%s\r\n$%d\r\n%s\r\n" % (shelf.epoch, len(value), value)
    async with wrong_server(says(reply * 2), folder) as url, shelf_at(url) as fooled:
        await fooled.get(b"k")
        for _ in range(3):
            assert await fooled.get(b"another") is None
    assert fooled.counts["rejected_garbage"] + fooled.counts["errors"] >= 3


async def test_an_endless_value_costs_a_bounded_number_of_bytes(folder: Path) -> None:
    async with wrong_server(endless, folder) as url, shelf_at(url, timeout=2.0) as shelf:
        assert await shelf.get(b"k") is None
        assert shelf.stats().get("rejected_too_large", 0) + shelf.counts["errors"] == 1
        assert shelf.counts["bytes_in"] == 0


async def test_nobody_there(folder: Path) -> None:
    for url in (f"unix://{folder}/nothing.sock", "redis://127.0.0.1:1/0"):
        async with shelf_at(url) as shelf:
            for _ in range(6):
                assert await shelf.get(b"k") is None
            assert (shelf.counts["errors"], shelf.breaker.state) == (5, "open")
            with pytest.raises(Unavailable):
                await shelf.delete_pattern()


async def test_killed_and_restarted(own_redis: OwnRedis) -> None:
    breaker = Breaker(cooldown=0.05, longest=0.1)
    async with shelf_at(own_redis.url, breaker=breaker) as shelf:
        await put(shelf, b"k", rows_of(1))
        own_redis.kill()
        while breaker.state == "closed":
            assert await shelf.get(b"k") is None
        assert await shelf.get(b"k") is None
        own_redis.start()
        while breaker.state != "closed":
            await shelf.get(b"k")
            await asyncio.sleep(0.01)
        await put(shelf, b"k", rows_of(2))
        assert (await found(shelf, b"k")).rows == rows_of(2)


async def test_paused_and_resumed(own_redis: OwnRedis) -> None:
    breaker = Breaker(cooldown=0.05, longest=0.1)
    async with shelf_at(own_redis.url, breaker=breaker, timeout=0.3) as shelf:
        await put(shelf, b"k", rows_of(1))
        own_redis.stop()
        try:
            while breaker.state == "closed":
                assert await asyncio.gather(shelf.get(b"k"), shelf.get(b"j")) == [None, None]
            assert shelf.counts["timeouts"] >= 5
            assert await shelf.get(b"k") is None
        finally:
            own_redis.go_on()
        while breaker.state != "closed":
            await shelf.get(b"k")
            await asyncio.sleep(0.01)
        assert (await found(shelf, b"k")).rows == rows_of(1)


async def test_writes_alone_notice_a_paused_server_and_stay_bounded(own_redis: OwnRedis) -> None:
    async with shelf_at(own_redis.url, timeout=0.2, max_queued_bytes=5_000) as shelf:
        await put(shelf, b"k", rows_of(1))
        own_redis.stop()
        try:
            large = Rows([Row(("a",), ("x" * 2_000,))])
            assert [shelf.set(b"%d" % number, large, **SAID) for number in range(4)] == [True, True, False, False]
            assert shelf.counts["dropped"] == 2
            await shelf.drain()
            await asyncio.sleep(0)
            assert shelf.stats()["queued_bytes"] == 0
            assert shelf.counts["timeouts"] + shelf.counts["errors"] == 2
        finally:
            own_redis.go_on()


async def test_a_cancelled_caller_disturbs_nobody(shelf: Shelf) -> None:
    await put(shelf, b"k", rows_of(1))
    for _ in range(20):
        tasks = [asyncio.create_task(shelf.get(b"k")) for _ in range(10)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(answer, asyncio.CancelledError) for answer in done[::2])
        assert all(answer is not None and not isinstance(answer, BaseException) for answer in done[1::2])
    tasks = [asyncio.create_task(shelf.get(b"%d" % number)) for number in range(10)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (await found(shelf, b"k")).rows == rows_of(1)


async def test_closing_wakes_everybody(own_redis: OwnRedis) -> None:
    client = client_of(own_redis.url)
    shelf = Shelf(client, "test", timeout=5.0)
    await put(shelf, b"k", rows_of(1))
    own_redis.stop()
    try:
        waiting = [asyncio.create_task(shelf.get(b"k")) for _ in range(3)]
        await asyncio.sleep(0.05)
        await shelf.aclose()
        assert await asyncio.gather(*waiting) == [None] * 3
        assert await shelf.get(b"k") is None
        shelf.set(b"k", rows_of(1), **SAID)
        await shelf.drain()
    finally:
        own_redis.go_on()
        await client.aclose()


async def test_the_deadline_holds_while_values_trickle(folder: Path) -> None:
    async def trickle(writer: Any) -> None:
        writer.write(b"*2\r\n$-1\r\n$1000\r\n")
        for _ in range(100):
            writer.write(b"x")
            await asyncio.sleep(0.05)

    async with wrong_server(trickle, folder) as url, shelf_at(url, timeout=0.2) as shelf:
        begin = time.monotonic()
        assert await shelf.get(b"k") is None
        assert shelf.counts["timeouts"] == 1
        assert time.monotonic() - begin < 4.0  # it would trickle for 5
