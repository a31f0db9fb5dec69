from __future__ import annotations

import json
from typing import Any

import pytest
from kombu import Connection

from galvo_tasks.broker.leases import LEASES, UNACKED, UNREADABLE
from tests.plugins.tasks.broker.side import Side, sides


def test_the_most_urgent_is_taken_first_and_then_the_oldest(side: Side) -> None:
    for number, priority in enumerate((9, 5, 0, 9, 3, 0, 5)):
        side.publish(number, priority)
    assert side.bodies() == [2, 5, 4, 1, 6, 0, 3]


def test_among_equally_urgent_ones_the_first_queue_goes_first(redis_url: str) -> None:
    with sides(redis_url, queues=("a", "b")) as (side,):
        for queue, priority in (("b", 5), ("a", 5), ("b", 0), ("a", 9), ("b", 5), ("a", 5)):
            side.publish(f"{queue}{priority}", priority, queue)
        assert side.bodies() == ["b0", "a5", "a5", "b5", "b5", "a9"]


def test_what_is_taken_is_noted_until_it_is_acknowledged(side: Side) -> None:
    side.publish("one")
    message = side.take()
    assert (side.unacked, side.listed()) == (1, [])
    message.ack()
    assert side.unacked == 0


def test_rejected_is_gone_and_requeued_is_the_last_and_uncounted(side: Side) -> None:
    for name in ("dropped", "again", "other"):
        side.publish(name)
    side.take().reject()
    side.take().requeue()
    assert [message["headers"] for message in side.listed()] == [{}, {}]
    assert side.bodies() == ["other", "again"]
    assert side.unacked == 0


def test_a_message_is_never_encoded_anew(side: Side) -> None:
    raw = json.dumps(
        {
            "body": "e30=",
            "headers": {
                "big": 2**70,
                "small": 0.1,
                "none": None,
                "empty": [],
                "object": {},
                "text": "ä\u0000",
                "": 1e300,
            },
            "properties": {"delivery_tag": "x", "delivery_info": {}, "body_encoding": "base64", "priority": 5},
            "content-type": "application/json",
            "content-encoding": "utf-8",
        }
    ).encode()
    side.redis.lpush("q\x06\x165", raw)
    side.take().requeue()
    assert side.redis.lrange("q\x06\x165", 0, -1) == [raw]


def test_a_waiting_worker_is_woken(redis_url: str) -> None:
    with sides(redis_url, 2) as (publisher, worker):
        worker.channel.brpop_timeout = 30  # longer than this test waits
        assert worker.take(0.2) is None
        publisher.publish("hello")
        assert worker.take(20).payload == "hello"


def test_what_others_publish_is_found_within_a_second(side: Side) -> None:
    """Without a token, and with whatever step they have."""
    with Connection(side.connection.as_uri().replace("galvo+", "redis+"), transport_options={}) as plain:
        assert side.take(0.1) is None
        for number in (9, 6, 3, 0):
            plain.Producer().publish(number, routing_key="q", priority=number)
        assert [side.take(5).payload for _ in range(4)] == [0, 3, 6, 9]


def test_what_is_not_acknowledged_is_taken_at_once_whoever_publishes(redis_url: str) -> None:
    """As the answers of remote control are: who asked for them waits for a second."""
    with sides(redis_url, no_ack=True) as (side,):
        side.channel.brpop_timeout = 30
        assert side.take(0.1) is None
        with Connection(side.connection.as_uri().replace("galvo+", "redis+")) as plain:
            plain.Producer().publish("answer", routing_key="q")
        assert side.take(20).payload == "answer"
        assert side.unacked == 0


def test_others_read_what_is_published(side: Side) -> None:
    side.publish({"a": 1})
    side.publish("given back")
    side.take().requeue()
    with Connection(side.connection.as_uri().replace("galvo+", "redis+")) as plain, plain.SimpleQueue("q") as queue:
        first, second = queue.get(timeout=5), queue.get(timeout=5)
        assert [first.payload, second.payload] == ["given back", {"a": 1}]
        first.ack()
        second.ack()
    assert side.redis.llen("q") == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"{}",
        b"[1]",
        b"[" * 100_000,
        b'{"properties": 1}',
        b'{"body": "a", "properties": {"body_encoding": "base64"}}',
    ],
)
def test_what_is_no_message_is_kept_aside(side: Side, raw: bytes) -> None:
    side.redis.lpush("q", raw)
    side.publish("good", priority=5)
    assert side.take().payload == "good"
    assert side.redis.lrange(UNREADABLE, 0, -1) == [raw]
    assert side.unacked == 1


def test_a_prefix_stands_before_all_names(redis_url: str) -> None:
    with sides(redis_url, global_keyprefix="shop:") as (side,):
        side.publish("later", **{"galvo-delay": 1000})
        for priority in (5, 0):
            side.publish(f"p{priority}", priority, **{"galvo-key": f"k{priority}"})
        message = side.take()
        assert message.payload == "p0"
        names = set(map(bytes.decode, side.redis.keys()))
        assert {name for name in names if not name.startswith("shop:")} == set()
        assert names >= {"shop:" + UNACKED, "shop:" + LEASES, "shop:q\x06\x165", "shop:galvo.key.q.k0"}
        message.requeue()
        assert side.bodies() == ["p0", "p5"]


def test_one_message_without_waiting(side: Side) -> None:
    side.publish("one")
    side.publish("two")
    first: Any = side.channel.basic_get("q")
    second: Any = side.channel.basic_get("q", no_ack=True)
    assert (first.payload, second.payload, side.unacked) == ("one", "two", 1)
    assert side.channel.basic_get("q") is None
    first.ack()
    assert side.unacked == 0


def test_purging_and_deleting_leave_nothing(side: Side) -> None:
    for priority in (0, 5):
        side.publish("x", priority)
    side.publish("x", **{"galvo-delay": 1000})
    assert side.channel.queue_purge("q") == 3
    side.publish("x", **{"galvo-delay": 1000})
    side.channel._delete("q", "", "", "")
    assert side.redis.keys() == []


def test_who_only_publishes_needs_one_connection(redis_url: str) -> None:
    with sides(redis_url) as (side,):
        before = len(side.redis.client_list())
        side.publish("x")
        assert len(side.redis.client_list()) == before + 1
