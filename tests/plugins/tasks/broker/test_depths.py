from __future__ import annotations

import pytest

from galvo_tasks.broker.depths import depths
from galvo_tasks.errors import NoBroker
from galvo_tasks.priority import Priority
from tests.plugins.tasks.broker.side import Side, sides

PUBLISHED = (("b", 5, 300), ("b", 5, 100), ("b", 6, 400), ("a", 0, 200), ("a", 9, 500), ("b", 0, -1000))
"""Queue, priority, seconds ago: 6 is nobody's Priority, and the last one's publisher has a clock that is wrong."""


def test_by_queue_and_priority_with_the_oldest_of_each(redis_url: str) -> None:
    with sides(redis_url) as (side,):
        now, _ = side.redis.time()
        for queue, priority, age in PUBLISHED:
            side.publish("x", priority, queue, **{"galvo-at": now - age})
        side.publish("by others", 2, "a")
        side.publish("not yet", 5, "a", **{"galvo-delay": 100, "galvo-at": now})
        found = depths(redis_url, ["b", "a", "none"])
    rounded = [(one.queue, one.priority, one.tasks, one.oldest and one.oldest // 60 * 60) for one in found]
    assert rounded == [
        ("b", Priority.URGENT, 1, 0),
        ("b", Priority.NORMAL, 3, 360),
        ("a", Priority.URGENT, 1, 180),
        ("a", Priority.HIGH, 1, None),
        ("a", Priority.BULK, 1, 480),
    ]


def test_what_runs_does_not_wait(side: Side) -> None:
    side.publish("x")
    side.take()
    assert depths(side.connection.as_uri(), ["q"]) == []


@pytest.mark.parametrize("raw", [b"\xff", b"[" * 100_000, b'{"headers": {"galvo-at": 1%s}}' % (b"0" * 400)])
def test_what_is_no_message_has_no_age(side: Side, raw: bytes) -> None:
    side.redis.lpush("q", raw)
    side.redis.lpush("q\x06\x165", b'{"headers": {"galvo-at": "yesterday"}}')
    assert [(one.tasks, one.oldest) for one in depths(side.connection.as_uri(), ["q"])] == [(1, None), (1, None)]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "unix:///nowhere.sock", "amqp://127.0.0.1:1"])
def test_a_broker_that_is_away(url: str) -> None:
    with pytest.raises(NoBroker, match="is the broker under \\[tasks\\] there"):
        depths(url, ["q"])
