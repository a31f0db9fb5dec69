"""The order of things between a writer and those that serve from memory, each race by itself."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from galvo_cache.coherence import Unannounced
from galvo_cache.coherence.scripts import ANNOUNCE, Script
from galvo_cache.coherence.wire import Ack, encode
from tests.plugins.cache.coherence.members import ROW, Join, Member, until
from tests.plugins.cache.coherence.own_redis import OwnRedis

pytestmark = pytest.mark.anyio
EVERYBODY = "{gv:test}:w"


async def test_a_write_is_known_to_all_before_it_is_sent_and_forgotten_after(join: Join) -> None:
    writer, *others = [await join() for _ in range(3)]
    mark = await writer.coherence.announce(ROW)
    assert [other.held for other in others] == [[ROW], [ROW]]
    assert writer.held == [], "its own write is in its own ledger already"
    assert await writer.coherence.settle(mark)
    await until(lambda: not any(other.held for other in others))
    everything = await writer.coherence.announce(None)
    assert [other.held for other in others] == [[None], [None]]
    writer.coherence.release(everything)
    await until(lambda: not any(other.held for other in others))
    assert writer.stat("lapsed_waits") == writer.stat("resettled") == 0
    assert writer.stat("members") == 3


async def test_the_writer_waits_for_whoever_may_still_serve(join: Join) -> None:
    writer, reader = await join(), await join()
    reader.hold_up()
    await writer.coherence.announce(ROW)
    assert not reader.coherence.trusted
    assert writer.stat("lapsed_waits") == 1


async def test_a_lease_is_not_extended_by_a_pulse_that_did_not_come_back(join: Join) -> None:
    reader = await join()
    before = reader.stat("round_trips")
    reader.hold_up()
    await until(lambda: not reader.coherence.trusted)
    assert reader.stat("round_trips") > before, "Redis answered all the time"
    reader.open.set()
    cleared = reader.cleared
    await reader.trusted()
    assert reader.cleared > cleared, "who was without a lease may have missed a write that could not be announced"


async def test_who_joins_during_a_write_learns_of_it_before_it_serves(join: Join) -> None:
    writer = await join()
    mark = await writer.coherence.announce(ROW)
    late = await join()
    assert late.held == [ROW]
    writer.coherence.release(mark)
    await until(lambda: not late.held)


async def test_who_subscribed_before_and_joins_after_the_announcement(join: Join) -> None:
    writer, late = await join(), await join(wait=False)
    late.hold_up()
    mark = await writer.coherence.announce(ROW)
    late.open.set()
    await late.trusted()
    assert late.held == [ROW]
    await writer.coherence.settle(mark)
    await until(lambda: not late.held)


async def test_members_that_come_and_go_hold_every_write_when_they_serve(join: Join) -> None:
    writer = await join()
    wrong: list[Member] = []
    for _ in range(15):
        member = await join(wait=False)
        for _ in range(3):
            mark = await writer.coherence.announce(ROW)
            wrong += [member] if member.coherence.trusted and member.held != [ROW] else []
            await writer.coherence.settle(mark)
        await member.trusted()
        await member.leave()
    assert wrong == []
    assert writer.stat("lapsed_waits") == 0, "somebody left and was waited for"


async def test_who_leaves_says_so_to_whoever_waits_for_it(join: Join, redis: Redis) -> None:
    writer, reader = await join(), await join()
    reader.hold_up()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writer.coherence.announce, ROW)
        with anyio.fail_after(10):
            while await redis.hlen("{gv:test}:pending") == 1:  # noqa: ASYNC110  # Redis has no event for it
                await anyio.sleep(0.001)
        await reader.leave()
    assert writer.stat("lapsed_waits") == 0


@pytest.mark.parametrize("lost", ["epoch", "members", "pending", "everything"])
async def test_when_redis_has_forgotten_who_may_serve_the_writer_waits(join: Join, redis: Redis, lost: str) -> None:
    writer, reader = await join(), await join()
    reader.hold_up()
    await (redis.flushall() if lost == "everything" else redis.delete("{gv:test}:" + lost))
    await writer.coherence.announce(ROW)
    assert not reader.coherence.trusted


async def test_a_write_under_way_survives_a_flush(join: Join, redis: Redis) -> None:
    writer, reader = await join(), await join()
    mark = await writer.coherence.announce(ROW)
    await redis.flushall()
    await until(lambda: writer.stat("doubts") and reader.stat("doubts"))
    late = await join()
    await reader.trusted()
    assert reader.held == late.held == [ROW]
    await writer.trusted()
    assert await writer.coherence.settle(mark)
    assert writer.stat("resettled") == 1, "it was not known all the time"
    await until(lambda: not reader.held and not late.held)


async def test_a_write_that_ends_while_others_are_said_again_is_not_said_again(join: Join, redis: Redis) -> None:
    writer, reader = await join(), await join()
    first, second = await writer.coherence.announce(ROW), await writer.coherence.announce(ROW)
    server: Any = writer.coherence._server
    run = server.run

    async def run_and_end(script: Script, *args: Any) -> Any:
        answer = await run(script, *args)
        if script is ANNOUNCE and second.ids[0] in writer.coherence._announcing._marks.live:
            writer.coherence.release(second)
        return answer

    server.run = run_and_end
    await redis.flushall()
    await until(lambda: writer.stat("doubts"))
    await writer.trusted()
    writer.coherence.release(first)
    await until(lambda: not reader.held)
    assert not writer.coherence._announcing._marks.live


async def test_a_release_that_was_lost_is_healed(join: Join) -> None:
    writer, reader = await join(), await join()
    mark = await writer.coherence.announce(ROW)
    writer.coherence._announcing._marks.forget(mark)
    await until(lambda: not reader.held)


async def test_an_open_outcome_is_kept_pending_even_after_the_writer_has_left(join: Join, redis: Redis) -> None:
    writer, reader = await join(unknown_outcome=0.5), await join(unknown_outcome=0.5)
    writer.coherence.release(await writer.coherence.announce(ROW), open=True)
    await writer.leave()
    assert reader.held == [ROW]
    assert await redis.hlen("{gv:test}:pending") == 2
    await until(lambda: not reader.held)


@pytest.mark.parametrize(
    "message", [b"", b"\xff", b"\x95\xa1f\xc4", b"x" * 300_000, encode(Ack(b"member", [b"0123456789ab"]))]
)
async def test_what_is_no_message_of_ours_is_doubt(join: Join, redis: Redis, message: bytes) -> None:
    reader = await join()
    cleared = reader.cleared
    await redis.publish(EVERYBODY, message)
    await until(lambda: reader.stat("doubts") == 1)
    assert reader.cleared > cleared
    await reader.trusted()


async def test_a_message_that_was_missed_or_said_twice_is_doubt(join: Join, redis: Redis) -> None:
    writer, reader = await join(), await join()
    async with redis.pubsub() as heard:
        await heard.subscribe(EVERYBODY)
        await heard.get_message(timeout=5)
        writer.coherence.release(await writer.coherence.announce(ROW))
        told = await heard.get_message(timeout=5)
    assert told is not None
    await redis.publish(EVERYBODY, told["data"])
    await until(lambda: reader.stat("doubts") == writer.stat("doubts") == 1)
    await reader.trusted()
    await redis.hincrby("{gv:test}:epoch", "number", 1)
    await until(lambda: reader.stat("doubts") == 2)


async def test_a_write_is_given_up_only_when_nobody_can_serve(join: Join, own_redis: OwnRedis) -> None:
    writer, reader = await join(), await join()
    own_redis.stop()
    assert reader.coherence.trusted
    with pytest.raises(Unannounced) as caught:
        await writer.coherence.announce(ROW)
    assert not reader.coherence.trusted
    cleared = reader.cleared
    own_redis.go_on()
    await reader.trusted()
    assert reader.cleared > cleared
    assert await writer.coherence.settle(caught.value.mark), "Redis is back: nobody may miss the write"
    await until(lambda: not reader.held and not writer.stat("releases_due"))


async def test_what_was_written_while_redis_was_away_is_told_later(join: Join, own_redis: OwnRedis) -> None:
    writer, reader = await join(), await join()
    own_redis.kill()
    with pytest.raises(Unannounced) as caught:
        await writer.coherence.announce(ROW)
    assert not reader.coherence.trusted
    trips = writer.stat("round_trips")
    with pytest.raises(Unannounced):
        await writer.coherence.announce(ROW)
    assert writer.stat("round_trips") == trips, "it waited again"
    assert not await writer.coherence.settle(caught.value.mark)
    own_redis.start()
    await reader.trusted()
    await writer.trusted()
    assert writer.stat("announced") == 1, "it was not told later"
    await until(lambda: not writer.stat("releases_due"))


async def test_a_script_flush_is_nothing(join: Join, redis: Redis) -> None:
    writer, reader = await join(), await join()
    await redis.script_flush()
    await writer.coherence.settle(await writer.coherence.announce(ROW))
    assert writer.stat("doubts") == reader.stat("doubts") == 0


async def test_a_hundred_at_once(join: Join) -> None:
    members = [await join() for _ in range(3)]

    async def write(member: Member, row: int) -> None:
        await member.coherence.settle(await member.coherence.announce({7: {"id": [row]}}))

    async with anyio.create_task_group() as tasks:
        for row in range(100):
            tasks.start_soon(write, members[row % 3], row)
    await until(lambda: not any(member.held or member.stat("releases_due") for member in members))
    assert sum(member.stat("announced") for member in members) == 100
    assert sum(member.stat("doubts") for member in members) == 0


async def test_nobody_serves_in_a_young_epoch_while_a_writer_may_count_on_the_old_one(join: Join, redis: Redis) -> None:
    writer = await join()
    mark = await writer.coherence.announce(ROW)
    writer.hold_up()
    await redis.flushall()
    late = await join()
    assert late.held == [], "the writer does not know yet that its mark is lost"
    assert not writer.coherence.trusted, "it would acknowledge without announcing again"
    writer.open.set()
    assert await writer.coherence.settle(mark)
    assert writer.stat("resettled") == 1
