"""Whole workers and their connections are lost; most of it on RabbitMQ, which does not say how often."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Queue
from redis import Redis

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.guard.perilous import Perilous, perilous
from tests.plugins.tasks.rabbit import Rabbit
from tests.thorough import THOROUGH

WORDS = ("--class", "quick", "--concurrency", "2")


@pytest.fixture
def url(rabbit: Rabbit) -> str:
    return rabbit.fresh()


@pytest.fixture
def those(url: str, tmp_path: Path) -> Iterator[Perilous]:
    with perilous(tmp_path, url) as those:
        yield those


def empty(rabbit: Rabbit, url: str) -> bool:
    return rabbit.queues(url)["perils.quick"] == (0, 0)


def test_a_worker_is_killed(those: Perilous, rabbit: Rabbit, url: str) -> None:
    worker = those.stand.worker("--class", "quick", "--concurrency", "3")
    those.send("once", "once")
    those.send("twice", "twice")
    those.send("twice", "worn", headers={"galvo-lost": 2})
    for name in ("once", "twice", "worn"):
        those.until_begun(name)
    worker.kill()
    those.let_go("twice")
    those.stand.worker(*WORDS)
    assert those.until_dead("once").reason == "its worker was lost while it may have run"
    assert those.until_dead("worn").reason == "3 workers were lost with it"
    those.until_ended("twice")
    assert (those.begun("once"), those.begun("twice"), those.begun("worn")) == (1, 2, 1)
    those.stand.until(lambda: empty(rabbit, url))


def test_a_connection_is_lost_while_tasks_run_and_when_they_end(those: Perilous, rabbit: Rabbit, url: str) -> None:
    worker = those.stand.worker(*WORDS)
    those.send("once", "long")
    those.send("twice", "short")
    those.until_begun("long")
    those.until_begun("short")
    rabbit.drop_connections()
    worker.until("CONNECTION_FORCED")
    those.let_go("short")
    those.until_ended("short")
    those.let_go("long")
    those.until_ended("long")
    those.stand.until(lambda: empty(rabbit, url))
    assert (those.begun("short"), those.begun("long")) == (1, 1)
    assert those.letters.count() == 0
    worker.kill()  # nothing of all that may come back
    assert empty(rabbit, url)


def test_a_worker_that_ends_gives_back_what_it_has_not_begun(those: Perilous, rabbit: Rabbit, url: str) -> None:
    worker = those.stand.worker(*WORDS)
    those.send("once", "runs")
    those.until_begun("runs")
    for name in ("one", "two", "three"):
        those.send("once", name, countdown=2)
        those.let_go(name)
    those.stand.until(lambda: rabbit.queues(url)["perils.quick"] == (0, 4))
    worker.process.send_signal(signal.SIGTERM)
    those.stand.until(lambda: rabbit.queues(url)["perils.quick"] == (3, 1))
    those.let_go("runs")
    assert worker.process.wait(20) == 0
    assert those.ended("runs") == 1
    assert rabbit.queues(url)["perils.quick"] == (3, 0)
    those.stand.worker(*WORDS)
    for name in ("one", "two", "three"):
        those.until_ended(name)
        assert those.begun(name) == 1
    assert those.letters.count() == 0
    those.stand.until(lambda: empty(rabbit, url))


def test_another_worker_calls_lost_what_ends_after_all(those: Perilous, rabbit: Rabbit) -> None:
    one = those.stand.worker(*WORDS)
    those.send("once", "long")
    those.until_begun("long")
    other = those.stand.worker(*WORDS)
    one.process.send_signal(signal.SIGSTOP)
    rabbit.drop_connections()
    other.until("is put aside")
    one.process.send_signal(signal.SIGCONT)
    those.let_go("long")
    those.until_ended("long")
    one.until("has ended after all")
    assert those.begun("long") == 1
    assert those.letters.count() == 0


def test_a_worker_is_killed_on_redis(tmp_path: Path, own_redis: OwnRedis) -> None:
    with perilous(tmp_path, own_redis.url, lease=1) as those:
        worker = those.stand.worker(*WORDS)
        those.send("once", "once")
        those.send("twice", "twice")
        those.until_begun("once")
        those.until_begun("twice")
        worker.kill()
        those.let_go("twice")
        those.stand.worker(*WORDS)
        assert those.until_dead("once").reason == "its worker was lost while it may have run"
        those.until_ended("twice")
        assert (those.begun("once"), those.begun("twice")) == (1, 2)


def test_another_worker_calls_lost_on_redis_what_ended_while_this_one_stood_still(
    tmp_path: Path, own_redis: OwnRedis
) -> None:
    with perilous(tmp_path, own_redis.url, lease=1) as those:
        one = those.stand.worker(*WORDS)
        those.send("once", "long")
        those.until_begun("long")
        other = those.stand.worker(*WORDS)
        one.process.send_signal(signal.SIGSTOP)  # its main process, and not the one that runs the task
        those.let_go("long")
        those.until_ended("long")
        other.until("is put aside")
        one.process.send_signal(signal.SIGCONT)
        one.until("has ended after all")
        assert those.begun("long") == 1
        assert those.letters.count() == 0


def test_a_worker_that_stood_still_keeps_what_it_gets_again(tmp_path: Path, own_redis: OwnRedis) -> None:
    """It is not acknowledged before its end: the worker may be killed still."""
    with perilous(tmp_path, own_redis.url, lease=1) as those:
        worker = those.stand.worker(*WORDS)
        for name in ("long", "short"):
            those.send("twice", name)
            those.until_begun(name)
        other = those.stand.worker("--class", "quick", "--concurrency", "1")
        those.send("twice", "busy")
        those.until_begun("busy")
        worker.process.send_signal(signal.SIGSTOP)
        with Redis.from_url(own_redis.url) as redis:
            those.stand.until(lambda: redis.llen("perils.quick\x06\x165") == 2)
        worker.process.send_signal(signal.SIGCONT)
        those.let_go("short")
        worker.until("came again while it runs here")
        worker.kill()
        those.let_go("long")
        those.let_go("busy")
        those.until_ended("long")
        assert those.begun("long") == 2
        assert other.process.poll() is None


if THOROUGH:  # it waits for longer than clocks may differ by

    def test_one_that_waits_for_its_time_has_not_begun(those: Perilous, rabbit: Rabbit, url: str) -> None:
        worker = those.stand.worker(*WORDS)
        those.let_go("later")
        those.send("once", "later", countdown=15)
        those.stand.until(lambda: rabbit.queues(url)["perils.quick"] == (0, 1))
        worker.kill()
        those.stand.worker(*WORDS)
        those.until_ended("later")
        assert those.begun("later") == 1
        assert those.letters.count() == 0

    def test_rabbitmq_waits_half_an_hour_only(those: Perilous, rabbit: Rabbit, url: str) -> None:
        """Then it closes the channel, as often as it takes: the task goes on, and the worker lives."""
        rabbit.erlang("application:set_env(rabbit, consumer_timeout, 1000)")
        rabbit.erlang("application:set_env(rabbit, channel_tick_interval, 1000)")
        try:
            worker = those.stand.worker(*WORDS)
            those.send("once", "long")
            worker.until("came again while it runs here")
        finally:
            rabbit.erlang("application:set_env(rabbit, consumer_timeout, 1800000)")
            rabbit.erlang("application:set_env(rabbit, channel_tick_interval, 60000)")
        those.let_go("long")
        those.until_ended("long")
        those.stand.until(lambda: empty(rabbit, url))
        assert (those.begun("long"), those.letters.count()) == (1, 0)
        assert worker.stop() == 0

    def test_a_queue_that_was_declared_otherwise_ends_the_worker(those: Perilous, url: str) -> None:
        with those.app.connection_for_write() as connection:
            Queue("perils.quick")(connection.default_channel).declare()
        with pytest.raises(AssertionError, match="inequivalent arg 'x-max-priority'"):
            those.stand.worker(*WORDS)
        assert those.stand.workers[0].process.wait(20) == 1
