"""A Redis that is full, or a replica: what it still does, and what is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import OutOfMemoryError, ReadOnlyError

from galvo_tasks.broker.lost import LOST
from tests.plugins.tasks.broker.side import Side
from tests.plugins.tasks.broker.test_leases import expire, other


@pytest.fixture
def full(side: Side) -> Iterator[Side]:
    """It held three messages: one is taken, one waits, and one is delayed."""
    for number in range(3):
        side.publish(number, **{"galvo-delay": 0.2 if number == 2 else 0})
    side.take(5)
    side.redis.config_set("maxmemory", 1)
    yield side
    side.redis.config_set("maxmemory", 0)


def test_a_full_one_takes_no_more_and_says_so(full: Side) -> None:
    with pytest.raises(OutOfMemoryError):
        full.publish("x")
    with pytest.raises(OutOfMemoryError):
        full.publish("x", **{"galvo-key": "k"})
    full.redis.config_set("maxmemory", 0)
    full.publish("x", **{"galvo-key": "k"})
    full.got[0].ack()
    assert {full.take(5).payload for _ in range(3)} == {1, 2, "x"}


def test_a_full_one_is_emptied_all_the_same(full: Side) -> None:
    """Taken, due, given back, renewed, restored, acknowledged."""
    full.got[0].requeue()
    full.channel.leases._renew()
    first = full.take()
    full.channel.leases._renew()
    assert full.unacked == 1
    full.vanish()
    full.redis.config_set("maxmemory", 0)
    expire(full)
    full.redis.config_set("maxmemory", 1)
    other(full)._restore()
    restored = full.take()
    assert (first.payload, restored.payload, restored.headers[LOST]) == (1, 1, 1)
    restored.ack()
    left = [full.take(5) for _ in range(2)]
    assert {message.payload for message in left} == {0, 2}
    for message in left:
        message.ack()
    assert full.unacked == 0


def test_a_replica_gives_out_nothing_and_is_left(side: Side) -> None:
    side.publish("x")
    message = side.take()
    side.redis.replicaof("127.0.0.1", 1)
    with pytest.raises(ReadOnlyError):
        side.publish("y")
    with pytest.raises((NotConnected, ReadOnlyError)):
        side.take(5)
    message.ack()
    assert side.unacked == 1
    side.redis.replicaof("NO", "ONE")
    while side.unacked:
        pass
    assert side.listed() == []


def test_both_are_errors_after_which_celery_connects_again(side: Side) -> None:
    assert {OutOfMemoryError, ReadOnlyError} <= {*side.connection.connection_errors}
