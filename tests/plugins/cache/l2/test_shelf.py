"""The shelf on a real Redis: what it gives back, what it forgets."""

from __future__ import annotations

import asyncio
import time

import pytest
from redis.asyncio import Redis

from galvo import Row, Rows
from galvo_cache.l2 import Item, Shelf, Stored, client_of
from galvo_cache.l2.shelf import EPOCH_BYTES
from tests.plugins.cache.coherence.own_redis import OwnRedis

pytestmark = pytest.mark.anyio
STAMPS = (b"one", b"two")


def rows_of(number: int, size: int = 3) -> Rows:
    return Rows([Row(("id", "name"), (number + step, f"n{step}")) for step in range(size)])


async def put(shelf: Shelf, key: bytes, rows: Rows, ttl: float = 60.0) -> None:
    """Store it for sure: the first read of a namespace makes its stamp."""
    await shelf.get(key)
    await shelf.drain()
    assert shelf.set(key, rows, stamps=STAMPS, created=time.time(), cost=0.5, ttl=ttl), shelf.counts
    await shelf.drain()


async def found(shelf: Shelf, key: bytes) -> Stored:
    stored = await shelf.get(key)
    assert stored is not None, shelf.counts
    return stored


async def test_an_answer_comes_back_with_what_was_said_about_it(shelf: Shelf) -> None:
    before = time.time()
    await put(shelf, b"k", rows_of(7))
    stored = await found(shelf, b"k")
    assert stored.rows == rows_of(7)
    assert [type(row) for row in stored.rows.records] == [Row] * 3
    assert stored.rows.records[1]["id"] == 8
    assert (stored.stamps, stored.cost, stored.ttl) == (STAMPS, 0.5, 60.0)
    assert before <= stored.created <= time.time()
    assert shelf.counts["hits"] == shelf.counts["misses"] == 1


async def test_another_shelf_of_the_namespace_has_it_too_and_one_of_another_namespace_has_not(
    shelf: Shelf, own_redis: OwnRedis
) -> None:
    await put(shelf, b"k", rows_of(1))
    client = client_of(own_redis.url)
    same, other = Shelf(client, "test", timeout=5.0), Shelf(client, "other", timeout=5.0)
    assert (await found(same, b"k")).rows == rows_of(1)
    assert await other.get(b"k") is None
    for made in (same, other):
        await made.aclose()
    await client.aclose()


async def test_an_answer_under_other_stamps_is_outdated(shelf: Shelf) -> None:
    await put(shelf, b"k", rows_of(1))
    assert await shelf.get(b"k", (b"one", b"new")) is None
    assert shelf.counts["outdated"] == 1
    assert await shelf.get(b"k", STAMPS) is not None


async def test_an_answer_ends_with_its_time(shelf: Shelf, redis: Redis) -> None:
    await put(shelf, b"k", rows_of(1), ttl=30.0)
    assert 0 < await redis.pttl(b"gv:test:e:k") <= 30_000
    assert not shelf.set(b"k", rows_of(1), stamps=STAMPS, created=0.0, cost=0.0, ttl=0.0)


async def test_many_at_once_cost_a_few_round_trips(shelf: Shelf) -> None:
    keys = [b"k%d" % number for number in range(300)]
    await put(shelf, b"first", rows_of(0))
    items = [Item(key, rows_of(number), STAMPS, 0.0, 0.0, 60.0) for number, key in enumerate(keys)]
    assert shelf.set_many(items) == 300
    await shelf.drain()
    before = shelf.stats()["batches"]
    found = await shelf.get_many([*keys, b"absent"])
    assert [stored and stored.rows for stored in found] == [*(item.rows for item in items), None]
    assert shelf.stats()["batches"] == before + 1
    assert await asyncio.gather(*(shelf.get(key) for key in keys)) == found[:-1]
    assert shelf.stats()["batches"] == before + 2


async def test_delete_pattern_forgets_everything_at_once_in_every_process(shelf: Shelf, own_redis: OwnRedis) -> None:
    client = client_of(own_redis.url)
    other = Shelf(client, "test", timeout=5.0)
    await put(shelf, b"k", rows_of(1))
    await found(other, b"k")
    await shelf.delete_pattern()
    assert await shelf.get(b"k") is None
    assert await other.get(b"k") is None
    await put(other, b"k", rows_of(2))
    assert (await found(shelf, b"k")).rows == rows_of(2)
    await other.aclose()
    await client.aclose()


async def test_an_answer_read_before_delete_pattern_and_stored_after_it_is_not_served(shelf: Shelf) -> None:
    await put(shelf, b"k", rows_of(1))
    epoch = shelf.epoch
    await shelf.delete_pattern()
    shelf.set(b"k", rows_of(1), stamps=STAMPS, created=0.0, cost=0.0, ttl=60.0, epoch=epoch)
    await shelf.drain()
    assert await shelf.get(b"k") is None
    assert shelf.counts["outdated"] == 1


async def test_a_flushed_redis_is_a_new_namespace(shelf: Shelf, redis: Redis) -> None:
    await put(shelf, b"k", rows_of(1))
    before = shelf.epoch
    saved = await redis.get(b"gv:test:e:k")
    await redis.flushall()
    await redis.set(b"gv:test:e:k", saved)
    assert await shelf.get(b"k") is None
    await put(shelf, b"k", rows_of(2))
    assert (await found(shelf, b"k")).rows == rows_of(2)
    assert shelf.epoch != before
    assert len(shelf.epoch or b"") == EPOCH_BYTES


async def test_unlink_pattern_deletes_foreign_keys(shelf: Shelf, redis: Redis) -> None:
    await redis.mset({f"theirs:{number}": "x" for number in range(1200)} | {"keep": "y"})
    assert await shelf.unlink_pattern("theirs:*") == 1200
    assert await redis.keys("*") == [b"keep"]


async def test_what_is_too_large_or_has_no_form_is_not_written(own_redis: OwnRedis, redis: Redis) -> None:
    client = client_of(own_redis.url)
    shelf = Shelf(client, "test", timeout=5.0, max_entry_bytes=10_000)
    await put(shelf, b"k", rows_of(1))
    said = {"stamps": STAMPS, "created": 0.0, "cost": 0.0, "ttl": 9.0}
    assert not shelf.set(b"large", Rows([Row(("a",), ("x" * 10_000,))]), **said)  # type: ignore[arg-type]
    assert not shelf.set(b"odd", Rows([Row(("a",), (object(),))]), **said)  # type: ignore[arg-type]
    assert (shelf.counts["too_large"], shelf.counts["unencodable"]) == (1, 1)
    assert sorted(await redis.keys("*")) == [b"gv:test:e:k", b"gv:test:epoch"]
    await shelf.aclose()
    await client.aclose()


async def test_admission_compares_with_the_measured_round_trip(shelf: Shelf) -> None:
    assert shelf.admit(0.0)
    await put(shelf, b"k", rows_of(1))
    trip = shelf.stats()["round_trip"]
    assert trip > 0
    assert shelf.admit(trip * 2.1)
    assert not shelf.admit(trip * 1.9)
