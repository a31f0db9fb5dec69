"""What lies in Redis is not trusted."""

from __future__ import annotations

import logging

import pytest

from galvo import Metric
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.store.client import client_of
from galvo_monitor.store.seal import Rejected, Seal, key_of
from tests.plugins.monitor.store.crowd import Crowd, queries

pytestmark = pytest.mark.anyio


async def test_what_others_have_written_is_not_believed(crowd: Crowd, caplog: pytest.LogCaptureFixture) -> None:
    first, second, stranger = crowd.join(), crowd.join(), crowd.join(key=b"x" * 32)  # type: ignore[arg-type]
    for process in (first, second, stranger, first):
        process.count(10)
        await process.exchange()
    key = crowd.key(second.name)
    good = await crowd.redis.get(key)
    evil = [b"", b"gm", b"gm\x01", good[:-1], good + b"x", b"\x00" * 100, bytes([good[0], good[1], 9]) + good[3:],
            good[:50] + bytes([good[50] ^ 1]) + good[51:], b"gm\x01" + b"A" * 3_000_000]  # fmt: skip
    with caplog.at_level(logging.WARNING):
        for data in evil:
            await crowd.redis.set(key, data, keepttl=True)
            await crowd.redis.set(crowd.key("departed"), data, px=10**6)
            merged = await first.exchange()
            assert merged.problem is None
            assert queries(merged.now) == 30
    assert first.sharing.rejected > len(evil)
    assert len(caplog.records) <= 3
    await second.exchange()
    assert queries((await first.exchange()).now) == 30


async def test_a_record_counts_under_its_own_name_only(crowd: Crowd) -> None:
    first, second = crowd.join(), crowd.join()
    second.count(10)
    await second.exchange()
    copied = await crowd.redis.get(crowd.key(second.name))
    for name in ("a" * 32, "../etc", "departed", "processes", "é", "b" * 31):
        await crowd.redis.zadd(crowd.key("processes"), {name: 9e12})
        if name != "processes":
            await crowd.redis.set(crowd.key(name), copied, px=10**6)
    merged = await first.exchange()
    assert merged.problem is None
    assert queries(merged.now) == 10
    assert merged.processes == 2


async def test_an_old_record_is_not_played_again(crowd: Crowd) -> None:
    first, second, third = crowd.join(), crowd.join(), crowd.join()
    for process in (second, third):
        process.count(10)
        await process.exchange()
    key, departed = crowd.key(second.name), crowd.key("departed")
    await third.leave()
    old, old_departed = await crowd.redis.get(key), await crowd.redis.get(departed)
    fourth = crowd.join()
    fourth.count(10)
    await fourth.leave()
    second.count(10)
    await second.exchange()
    assert queries((await first.exchange()).now) == 40
    await crowd.redis.set(key, old, keepttl=True)
    await crowd.redis.set(departed, old_departed, keepttl=True)
    assert queries((await first.exchange()).now) == 40
    assert queries((await second.exchange()).now) == 40


async def test_no_more_than_so_many_processes(crowd: Crowd) -> None:
    first, second = crowd.join(), crowd.join()
    await second.exchange()
    await crowd.redis.zadd(crowd.key("processes"), {f"{number:032x}": -number for number in range(5000)})
    assert (await first.exchange()).processes == 2
    for _ in range(3):
        await first.exchange()
    assert await crowd.redis.zcard(crowd.key("processes")) < 5000


async def test_keys_of_another_kind_and_a_redis_without_room(crowd: Crowd) -> None:
    first = crowd.join()
    await crowd.redis.set(crowd.key("processes"), "x")
    first.count(1)
    merged = await first.exchange()
    assert merged.problem is not None
    assert queries(merged.now) == 1
    await crowd.redis.delete(crowd.key("processes"))
    await crowd.redis.config_set("maxmemory", 1)
    assert (await first.exchange()).problem is not None
    await crowd.redis.config_set("maxmemory", 0)
    assert (await first.exchange()).problem is None


def test_a_seal_covers_name_and_content() -> None:
    seal = Seal(b"k" * 32, max_bytes=100)
    closed = seal.close(b"name", b"data")
    assert seal.open(b"name", closed) == b"data"
    for name, sealed in ((b"nam", closed), (b"named", closed[:3] + b"ata" + closed[7:]), (b"name", closed[:-1])):
        with pytest.raises(Rejected):
            seal.open(name, sealed)
    for number in range(len(closed)):
        with pytest.raises(Rejected):
            seal.open(b"name", closed[:number] + bytes([closed[number] ^ 1]) + closed[number + 1 :])
    seal = Seal(b"k" * 32, max_bytes=100)
    shifted = seal.close(b"name", b"x" + b"gm\x01" + b"y")
    with pytest.raises(Rejected):
        seal.open(b"name" + b"gm\x01" + b"x", shifted[4:])
    with pytest.raises(Rejected, match="more than the 100"):
        seal.close(b"name", b"x" * 100)


@pytest.mark.parametrize("text", ["", "x", "a2V5", "é" * 32])
def test_a_key_that_is_none(text: str) -> None:
    with pytest.raises(MonitorProblem, match="openssl rand -base64 32"):
        key_of(text)


@pytest.mark.parametrize("url", ["", "http://secret", "redis://h/x", "redis://:secret@h:port", "redis://h?no=1"])
def test_a_url_that_is_none_is_not_repeated(url: str) -> None:
    with pytest.raises(MonitorProblem) as refused:
        client_of(url)
    assert "secret" not in str(refused.value)


async def test_what_cannot_be_sent_raises_nothing(crowd: Crowd, caplog: pytest.LogCaptureFixture) -> None:
    process = crowd.join()
    process.count(5)
    own = process.snapshot()
    own.counters.append((Metric("odd", attributes=(("file", "\udcff"),)), 1.0))
    with caplog.at_level(logging.INFO):
        merged = await process.sharing.exchange(own)
        await process.sharing.leave(own)
    assert queries(merged.now) == 5
    assert merged.problem == "the numbers are this process's own: they cannot be told (UnicodeEncodeError)"
    assert "UnicodeEncodeError" in caplog.messages[-1]
