"""Stamps of shared entries: which fields, and that the local copy is neither behind nor ahead of the stream."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from galvo_cache.coherence import fields_read, fields_renewed
from galvo_cache.coherence.wire import Frame, announcement, decode
from galvo_cache.touch import Touch
from tests.plugins.cache.coherence.members import ROW, Join, until
from tests.plugins.cache.coherence.own_redis import OwnRedis

TOKENS = st.integers(-(2**63), 2**63 - 1)
TOUCHES = st.none() | st.dictionaries(
    st.integers(1, 3),
    st.none() | st.fixed_dictionaries({lane: st.none() | st.lists(TOKENS, max_size=200) for lane in "ab"}),
)
FIELDS = fields_read([], [(7, "id", 1)])


@given(TOUCHES, st.integers(1, 3), st.sampled_from("ab"), TOKENS, st.data())
def test_whatever_is_touched_is_renewed(
    touch: Touch | None, table: int, lane: str, token: int, data: st.DataObject
) -> None:
    if touch and touch.get(table) and (tokens := touch[table][lane]):  # type: ignore[index]
        token = data.draw(st.sampled_from(tokens) | st.just(token))
    renewed = set(fields_renewed(touch))
    whole = touch is None or table in touch
    lanes = None if touch is None else touch.get(table)
    part = whole and (lanes is None or lanes[lane] is None or token in lanes[lane])  # type: ignore[operator]
    assert bool(renewed & set(fields_read([table]))) == whole
    if part:
        assert renewed & set(fields_read([], [(table, lane, token)]))
    if not whole:
        assert not renewed & set(fields_read([], [(table, lane, token)]))


@given(st.lists(TOKENS, min_size=1, max_size=2000), st.integers(1, 200))
def test_an_announcement_is_bounded_and_never_narrower(tokens: list[int], tables: int) -> None:
    touch: Touch = {table: {"a": tokens} for table in range(tables)}
    said, data = announcement(b"0123456789ab", touch)
    assert len(data) <= 64 * 1024
    for table in range(tables):
        lanes = None if said.touch is None else said.touch[table]
        assert lanes is None or lanes["a"] is None or lanes["a"] == tokens


def test_a_touch_is_the_same_after_the_way_through_a_message() -> None:
    said, data = announcement(b"0123456789ab", {7: {"id": [-(2**63), 2**63 - 1], "x": None}, 8: None})
    frame = decode(b"\x95\xa1f\xc4\x0cepoch-epoch-\x01\x00" + data)
    assert isinstance(frame, Frame)
    assert frame.body == said


@pytest.mark.anyio
async def test_all_processes_know_the_same_stamps_and_a_write_renews_them(join: Join) -> None:
    one, two = await join(), await join()
    await until(lambda: one.coherence._may_share() and two.coherence._may_share())
    before = await one.coherence.stamps_for(FIELDS)
    assert before is not None
    assert await two.coherence.stamps_for(FIELDS) == before
    mark = await one.coherence.announce({7: {"id": [2], "other": [1]}})
    assert one.coherence.stamps_known(FIELDS) == two.coherence.stamps_known(FIELDS) == before, "another row"
    await one.coherence.settle(mark)
    await one.coherence.settle(await one.coherence.announce(ROW))
    after = one.coherence.stamps_known(FIELDS)
    assert after is not None
    assert two.coherence.stamps_known(FIELDS) == after != before


@pytest.mark.anyio
@pytest.mark.parametrize("asked_first", [True, False])
async def test_an_answer_about_stamps_and_a_renewal_cannot_overtake_each_other(
    join: Join, redis: Redis, asked_first: bool
) -> None:
    writer, reader = await join(), await join()
    await until(lambda: reader.coherence._may_share())
    reader.hold_up()
    async with anyio.create_task_group() as tasks:
        for who in (reader, writer) if asked_first else (writer, reader):
            asked = await redis.info("commandstats")
            if who is reader:
                tasks.start_soon(reader.coherence.stamps_for, FIELDS)
            else:
                tasks.start_soon(writer.coherence.announce, ROW)
            with anyio.fail_after(10):
                while not await changed(redis, asked, "hset"):  # noqa: ASYNC110  # Redis has no event for it
                    await anyio.sleep(0.005)
        assert reader.coherence.stamps_known(FIELDS) is None
        reader.open.set()
        await until(lambda: reader.held)
        await until(lambda: reader.coherence.stamps_known(FIELDS))
    stamps = reader.coherence.stamps_known(FIELDS)
    assert stamps is not None
    assert list(stamps) == [await redis.hget("{gv:test}:stamps", field) for field in FIELDS]


async def changed(redis: Redis, before: dict[str, Any], command: str) -> bool:
    """Whether `command` has run since: announcing and asking for unknown stamps both set fields."""
    now = await redis.info("commandstats")
    calls = [told.get(f"cmdstat_{command}", {"calls": 0})["calls"] for told in (before, now)]
    return bool(calls[0] != calls[1])


@pytest.mark.anyio
async def test_without_a_lease_there_are_no_stamps_and_after_a_flush_others(join: Join, redis: Redis) -> None:
    reader = await join()
    assert await reader.coherence.stamps_for(FIELDS) is None, "others may still have to tell what they wrote"
    await until(lambda: reader.coherence._may_share())
    before = await reader.coherence.stamps_for(FIELDS)
    assert before is not None
    await redis.flushall()
    await until(lambda: reader.stat("doubts"))
    assert reader.coherence.stamps_known(FIELDS) is None
    await until(lambda: reader.coherence._may_share())
    after = await reader.coherence.stamps_for(FIELDS)
    assert after is not None
    assert not set(after) & set(before)


@pytest.mark.anyio
async def test_a_restored_snapshot_does_not_bring_old_stamps_back(
    join: Join, redis: Redis, own_redis: OwnRedis
) -> None:
    reader = await join()
    await until(lambda: reader.coherence._may_share())
    saved = await reader.coherence.stamps_for(FIELDS)
    assert saved is not None
    await redis.save()
    await reader.coherence.settle(await reader.coherence.announce(ROW))
    own_redis.kill()
    own_redis.start()
    await until(lambda: reader.stat("doubts") and reader.coherence._may_share())
    restored = await reader.coherence.stamps_for(FIELDS)
    assert restored is not None
    assert not set(restored) & set(saved)


@pytest.mark.anyio
async def test_the_writer_itself_has_the_new_stamps_before_it_writes(join: Join) -> None:
    writer = await join()
    await until(lambda: writer.coherence._may_share())
    before = await writer.coherence.stamps_for(FIELDS)
    assert before is not None
    writer.hold_up()
    await writer.coherence.announce(ROW)
    assert writer.coherence.stamps_known(FIELDS) != before
