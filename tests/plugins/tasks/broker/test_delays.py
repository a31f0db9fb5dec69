from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from galvo_tasks.broker.scripts import TAKE
from tests.plugins.tasks.broker.side import Side, sides

DELAYED = "q\x06\x16delayed"
DUE_AT_ONCE = "local t = redis.call('TIME') redis.call('ZADD', KEYS[1], t[1] + t[2] / 1e6 + 4e-4, '0:x')"


def due(side: Side) -> float:
    """Seconds until the last delayed one is due, by Redis' clock."""
    (_, score), *_ = side.redis.zrange(DELAYED, -1, -1, withscores=True)
    seconds, micros = side.redis.time()
    return float(score) - seconds - micros / 1e6


def test_a_delayed_one_waits_and_is_taken_when_it_is_due(side: Side) -> None:
    side.publish("later", **{"galvo-delay": 0.4})
    side.publish("now", priority=9)
    began = time.monotonic()
    assert side.take().payload == "now"
    assert side.take(5).payload == "later"
    assert time.monotonic() - began >= 0.4


def test_whoever_waits_for_one_that_is_due_in_an_instant_does_not_wait_for_ever(side: Side) -> None:
    """`BRPOP key 0.001` blocks Redis 6.2 without an end."""
    keys, words = side.channel._request("tag", ["q"])
    answers = []
    for _ in range(200):
        with side.redis.pipeline() as pipe:
            pipe.eval(DUE_AT_ONCE, 1, DELAYED)
            pipe.execute_command(*TAKE.command(keys, words, whole=True))
            pipe.delete(DELAYED, "q")
            _, answer, _ = pipe.execute()
        if isinstance(answer, int):  # and not the message itself, when Redis was slow
            answers.append(answer)
    assert set(answers) == {2}


def test_delayed_ones_are_taken_by_priority_once_due(side: Side) -> None:
    for number, priority in enumerate((9, 0, 5)):
        side.publish(number, priority, **{"galvo-delay": 0.05})
    while due(side) > 0:
        pass
    assert side.bodies() == [1, 2, 0]


def test_an_eta_counts_by_its_publishers_clock_and_nobody_waits_for_it_again(side: Side) -> None:
    """A worker whose clock is slow would wait once more if the eta were still there."""
    eta = (datetime.now(UTC) + timedelta(seconds=100)).isoformat()
    side.publish("x", eta=eta, id="1")
    assert 99 < due(side) <= 100
    side.redis.zadd(DELAYED, {side.redis.zrange(DELAYED, 0, 0)[0]: 0})
    assert side.take().headers == {"eta": None, "galvo-eta": eta, "id": "1"}


def test_a_clock_that_is_wrong_delays_as_long(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publisher an hour ahead of Redis: an eta of its own clock and a delay of 50 s are 50 s."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(hours=1)

    monkeypatch.setattr("galvo_tasks.broker.headers.datetime", Ahead)
    side.publish("x", eta=(Ahead.now() + timedelta(seconds=50)).isoformat())
    assert 49 < due(side) <= 50


def test_seconds_count_before_an_eta(side: Side) -> None:
    side.publish("x", eta="2100-01-01T00:00:00+00:00", **{"galvo-delay": 50, "galvo-at": 1000.0})
    assert 49 < due(side) <= 50
    side.redis.zadd(DELAYED, {side.redis.zrange(DELAYED, 0, 0)[0]: 0})
    headers = side.take().headers
    assert headers == {"eta": None, "galvo-eta": "2100-01-01T00:00:00+00:00", "galvo-at": 1050.0}


@pytest.mark.parametrize("eta", ["2000-01-01T00:00:00+00:00", None])
def test_what_is_due_already_waits_in_its_list(side: Side, eta: str | None) -> None:
    side.publish("x", eta=eta)
    assert side.take().headers["eta"] is None


@pytest.mark.parametrize("eta", ["2100-01-01T00:00:00", "soon"])
def test_an_eta_that_only_the_worker_understands_is_left_to_it(side: Side, eta: str) -> None:
    side.publish("x", eta=eta)
    assert side.take().headers == {"eta": eta}


def test_a_waiting_worker_wakes_when_the_first_is_due(redis_url: str) -> None:
    with sides(redis_url, 2) as (publisher, worker):
        worker.channel.brpop_timeout = 30
        worker.take(0.2)
        publisher.publish("long", **{"galvo-delay": 1000})
        publisher.publish("short", **{"galvo-delay": 0.2})
        assert worker.take(20).payload == "short"
