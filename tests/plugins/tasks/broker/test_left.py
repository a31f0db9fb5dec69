"""What becomes of a message whose channel is closed, by what Celery has done with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery.worker import state

from galvo_tasks.broker.leases import LEASES, UNACKED
from galvo_tasks.broker.lost import LOST
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.broker.side import Side, sides


class Request:
    """As much of Celery's as is looked at."""

    def __init__(self, *, begun: bool) -> None:
        self.time_start = 1.0 if begun else None
        self.lost_leases = 0

    def lost_lease(self) -> None:
        self.lost_leases += 1


@pytest.fixture
def two(redis_url: str) -> Iterator[tuple[Side, Side]]:
    with sides(redis_url, 2) as (one, other):
        yield one, other


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "should_stop", 0)


def closed(side: Side, request: Any) -> Any:
    """It takes a message of which Celery makes this request, and its channel is closed."""
    side.publish("x")
    message = side.take()
    side.channel.leases.note(message.delivery_tag, request)
    side.connection.release()
    return message


def headers(side: Side) -> list[Any]:
    return [message["headers"].get(LOST, 0) for message in side.listed()]


def within(seconds: float, side: Side) -> list[Any]:
    end = time.monotonic() + seconds
    while not (found := headers(side)) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def test_what_runs_is_kept_and_acknowledged_later(two: tuple[Side, Side]) -> None:
    one, other = two
    request = Request(begun=True)
    state.active_requests.add(request)  # type: ignore[arg-type]
    message = closed(one, request)
    assert within(2.5, other) == []
    assert other.unacked == 1
    message.ack()
    assert other.unacked == 0


def test_what_was_given_to_the_pool_and_is_not_run_comes_back_counted(two: tuple[Side, Side]) -> None:
    closed(two[0], Request(begun=True))
    two[1].take(0.05)
    assert two[1].take(20).headers[LOST] == 1


def test_what_was_not_given_to_it_comes_back_uncounted(two: tuple[Side, Side]) -> None:
    closed(two[0], Request(begun=False))
    assert headers(two[1]) == []  # a timer may still begin it
    assert within(10, two[1]) == [0]


@pytest.mark.usefixtures("stopping")
@pytest.mark.parametrize("begun, lost", [(True, 1), (False, 0)])
def test_a_worker_that_ends_gives_all_back_at_once(two: tuple[Side, Side], begun: bool, lost: int) -> None:
    closed(two[0], Request(begun=begun))
    assert headers(two[1]) == [lost]


@pytest.mark.parametrize("begun, lost", [(True, 1), (False, 0)])
def test_requeued_is_counted_if_it_may_have_begun(side: Side, begun: bool, lost: int) -> None:
    side.publish("x")
    message = side.take()
    side.channel.leases.note(message.delivery_tag, Request(begun=begun))
    message.requeue()
    assert headers(side) == [lost]


def given_away(side: Side) -> tuple[Any, Request]:
    """A message that has begun here, and was given to another worker since; and its request."""
    side.publish("x")
    message, request = side.take(), Request(begun=True)
    side.channel.leases.note(message.delivery_tag, request)
    side.redis.eval("redis.call('DEL', KEYS[1], KEYS[2])", 2, UNACKED, LEASES)
    return message, request


def test_one_that_is_acknowledged_in_vain_is_told(side: Side) -> None:
    message, request = given_away(side)
    message.ack()
    assert request.lost_leases == 1


def test_one_whose_lease_is_lost_while_it_runs_is_told(side: Side) -> None:
    _, request = given_away(side)
    while not request.lost_leases:
        pass


def test_one_that_is_acknowledged_in_vain_is_told_later_when_redis_was_away(own_redis: OwnRedis) -> None:
    with sides(own_redis.url) as (side,):
        message, request = given_away(side)
        own_redis.stop()
        message.ack()
        own_redis.go_on()
        while not request.lost_leases:
            pass
    assert request.lost_leases == 1


@pytest.fixture
def silent(own_redis: OwnRedis, stopping: None) -> Iterator[Side]:
    """Redis has been silent since an acknowledgement was sent to it, and its worker ends."""
    with sides(own_redis.url) as (side,):
        side.publish("x")
        message = side.take()
        own_redis.stop()
        acknowledging = threading.Thread(target=message.ack)
        acknowledging.start()
        while message.delivery_tag in side.channel.leases._held:
            pass
        yield side
        own_redis.go_on()
        acknowledging.join()


def test_a_worker_that_ends_waits_for_acknowledgements_that_are_under_way(silent: Side, own_redis: OwnRedis) -> None:
    resumed = threading.Event()

    def resume() -> None:
        resumed.set()
        own_redis.go_on()

    timer = threading.Timer(0.2, resume)
    timer.start()
    silent.channel.close()
    assert resumed.is_set()
    assert silent.unacked == 0
    timer.join()


def test_and_says_so_when_they_cannot_be_told(silent: Side, caplog: pytest.LogCaptureFixture) -> None:
    silent.channel.close()
    assert "1 messages come back although they are done" in caplog.text
