from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from galvo_tasks.broker.leases import LEASES, UNACKED, UNREADABLE, Leases
from galvo_tasks.broker.lost import LOST, counted
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.broker.side import LEASE, Side, sides


def other(side: Side) -> Leases:
    """Those of another process, whose thread does not run; it has seen Redis for long enough."""
    made: Leases = side.channel._make_leases()
    made._steady._since, made._steady._last = 0.0, (LEASE, 0.0)
    return made


def expire(side: Side) -> None:
    for tag in side.redis.zrange(LEASES, 0, -1):
        side.redis.zadd(LEASES, {tag: 1})


def test_while_its_worker_lives_a_message_is_its_own(side: Side) -> None:
    side.publish("x")
    side.take()
    restorer, end = other(side), time.monotonic() + LEASE * 2.5
    while time.monotonic() < end:
        restorer._restore()
        time.sleep(0.02)
    assert (side.unacked, side.listed()) == (1, [])


def test_what_a_dead_worker_held_is_back_and_counted(redis_url: str) -> None:
    with sides(redis_url, 2) as (dead, alive):
        dead.publish("x", 5, name="a")
        dead.publish("behind", 5)
        dead.take()
        dead.vanish()
        behind = alive.take(0.1)
        assert behind.payload == "behind"
        behind.ack()
        for lost in (1, 2):
            message = alive.take(10)
            assert message.payload == "x"
            assert (message.headers[LOST], message.headers["redelivered"], message.headers["name"]) == (lost, True, "a")
            assert message.delivery_info["redelivered"]
            alive.vanish()


def test_a_restored_one_is_the_next_of_its_list(side: Side) -> None:
    for name in ("first", "second"):
        side.publish(name, 5)
    side.take()
    side.vanish()
    expire(side)
    other(side)._restore()
    assert [message["headers"].get(LOST) for message in side.listed("q\x06\x165")] == [1, None]


def test_of_two_that_restore_one_does(side: Side) -> None:
    restorers = [other(side) for _ in range(4)]
    for _ in range(10):
        side.publish("x")
        side.take()
    side.vanish()
    expire(side)
    start = threading.Barrier(len(restorers))

    def restore(leases: Leases) -> None:
        start.wait()
        leases._restore()

    threads = [threading.Thread(target=restore, args=(leases,)) for leases in restorers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [message["headers"][LOST] for message in side.listed()] == [1] * 10
    assert side.unacked == 0


def test_a_lease_that_is_renewed_after_it_was_seen_expired_is_kept(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    side.publish("x")
    tag = side.take().delivery_tag
    expire(side)
    restorer = other(side)

    def renewed_meanwhile(raw: bytes) -> bytes:
        side.redis.zadd(LEASES, {tag: 1e11})
        return counted(raw)

    monkeypatch.setattr("galvo_tasks.broker.leases.counted", renewed_meanwhile)
    restorer._restore()
    assert side.redis.hexists(UNACKED, tag)
    assert side.listed() == []


def test_who_lost_its_lease_acknowledges_nothing_of_the_next(redis_url: str) -> None:
    with sides(redis_url, 2) as (stopped, next_one):
        stopped.publish("x")
        message = stopped.take()
        held = dict(stopped.channel.leases._held)
        stopped.channel.leases._held.clear()  # its thread is stopped
        again = next_one.take(10)
        stopped.channel.leases._held.update(held)
        message.ack()
        assert next_one.unacked == 1
        assert again.headers[LOST] == 1
        again.ack()
        assert next_one.unacked == 0


def test_closing_gives_back_what_has_not_begun_uncounted_and_first(redis_url: str) -> None:
    with sides(redis_url, 2) as (closing, other_side):
        for name in ("taken", "behind"):
            closing.publish(name, 5)
        closing.take()
        closing.close()
        assert [message["headers"] for message in other_side.listed("q\x06\x165")] == [{}, {}]
        assert other_side.bodies() == ["taken", "behind"]


@pytest.mark.parametrize(
    "note",
    [b"garbage", b"", b"1_0:0123456789", b"3:abc", b"-5:abc1:dx", b"12:galvo.leases1:wx", b"1:p12:galvo.leasesx"],
)
def test_what_is_no_note_is_kept_aside_and_the_others_come_back(side: Side, note: bytes) -> None:
    side.publish("x")
    side.take()
    side.vanish()
    side.redis.hset(UNACKED, b"\xff", note)
    side.redis.zadd(LEASES, {b"\xff": 0})
    expire(side)
    other(side)._restore()
    assert side.redis.lrange(UNREADABLE, 0, -1) == [note]
    assert [message["headers"][LOST] for message in side.listed()] == [1]
    assert side.unacked == 0


@pytest.mark.parametrize("before", ["Infinity", "1e999", "NaN", '"x"', "[]", "null"])
def test_a_count_that_is_none_begins_anew(before: str) -> None:
    raw = f'{{"headers": {{"galvo-lost": {before}}}, "properties": {{"delivery_info": {{}}}}}}'
    assert json.loads(counted(raw.encode()))["headers"][LOST] == 1


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"x", b"{}"])
def test_what_is_no_message_stays_as_it_is(raw: bytes) -> None:
    assert counted(raw) == raw


def test_the_thread_outlives_whatever_happens_in_it(side: Side, caplog: pytest.LogCaptureFixture) -> None:
    leases = other(side)
    leases._doubtful["x"] = None  # type: ignore[assignment]  # what nobody has thought of
    for _ in range(3):
        leases._look()
    assert caplog.text.count("Leases cannot be renewed") == 1
    leases._doubtful.clear()
    leases._look()
    assert not leases._away


@pytest.fixture
def asked(redis_url: str) -> Iterator[tuple[Side, Side]]:
    """One that has asked for a message, which is noted for it, and has not read the answer; and another."""
    with sides(redis_url, 2) as (asking, looking):
        asking.take(0.05)
        asking.channel.client.connection.disconnect()
        asking.channel._patience = 0.0
        looking.publish("x")
        looking.publish("behind")
        asking.connection.transport.cycle.on_poll_start()
        while not looking.unacked:
            pass
        yield asking, looking


def test_closing_gives_back_what_is_on_its_way(asked: tuple[Side, Side]) -> None:
    asked[0].close()
    assert asked[1].bodies() == ["x", "behind"]


def test_who_takes_no_more_gives_back_what_is_on_its_way(asked: tuple[Side, Side]) -> None:
    """A warm end may then wait for hours for what runs."""
    asking, looking = asked
    asking.consumer.cancel()
    assert looking.unacked == 0
    assert [message["headers"] for message in looking.listed()] == [{}, {}]


def test_what_was_on_its_way_when_the_connection_was_lost_comes_back_uncounted(asked: tuple[Side, Side]) -> None:
    asking, looking = asked
    asking.channel.client.connection.disconnect()
    while looking.unacked:
        pass
    assert [message["headers"] for message in looking.listed()] == [{}, {}]


def test_an_acknowledgement_reaches_a_redis_that_was_away(own_redis: OwnRedis) -> None:
    with sides(own_redis.url) as (side,):
        side.publish("done")
        message = side.take()
        own_redis.stop()
        message.ack()
        assert message.acknowledged
        assert list(side.channel.leases._owed) == [message.delivery_tag]
        own_redis.go_on()
        deadline = time.monotonic() + 20
        while side.unacked and time.monotonic() < deadline:
            time.sleep(0.01)
        assert side.unacked == 0


def test_a_pause_of_redis_takes_nothing_from_those_who_live(own_redis: OwnRedis) -> None:
    """Afterwards all leases look expired at once."""
    with sides(own_redis.url, 2) as (one, two):
        one.publish("x")
        message = one.take()
        two.take(LEASE * 1.5)  # steady by now
        own_redis.stop()
        time.sleep(LEASE * 1.2)
        own_redis.go_on()
        assert two.take(LEASE * 1.2) is None
        assert one.unacked == 1
        message.ack()


def test_nobody_is_left_behind(side: Side) -> None:
    leases = side.channel.leases
    side.take(0.05)
    thread = leases._thread
    assert thread is not None
    side.close()
    thread.join(5)
    assert not thread.is_alive()
