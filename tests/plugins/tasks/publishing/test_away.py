"""Brokers that are not there, or silent, or lost in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from contextlib import suppress
from typing import Any

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis

from galvo_tasks.publishing.problems import BrokerAway, BrokerRefused, DeadlinePassed, NotPublished, Unconfirmed
from galvo_tasks.publishing.publisher import close, publisher_of
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.publishing.conftest import NOTED, application, until
from tests.plugins.tasks.rabbit import Rabbit

pytestmark = pytest.mark.anyio
QUEUE = "test.quick\x06\x165"


def _hang(plain: Celery[Any]) -> None:
    with suppress(Exception):  # whatever comes of it in the end
        plain.send_task("a")


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
async def test_a_black_hole_fails_within_the_deadline_and_celery_hangs(scheme: str, black_hole: socket.socket) -> None:
    url = f"{scheme}://127.0.0.1:{port_of(black_hole)}"
    plain = Celery("plain", broker=url, set_as_current=False)
    hanging = threading.Thread(target=_hang, args=(plain,))
    with application(url, deadline=0.3) as app:
        hanging.start()
        with pytest.raises(NotPublished, match=r"within the deadline of 0\.3 s|was not sent") as first:
            await app.tasks[NOTED].submit(("a",))
        with pytest.raises(NotPublished) as second:
            await asyncio.to_thread(app.tasks[NOTED].apply_async, ("a",))
        assert not first.value.may_arrive
        assert not second.value.may_arrive
        assert hanging.is_alive()
        black_hole.close()
    hanging.join()
    plain.close()


async def test_a_broker_that_is_not_there(own_redis: OwnRedis, noted: Any, impatient: None) -> None:
    own_redis.kill()
    with pytest.raises(BrokerAway, match="was not sent") as caught:
        await noted.submit(("a",))
    assert isinstance(caught.value, OperationalError)
    with pytest.raises(BrokerAway, match=r"the broker is away since \d\d:\d\d:\d\d \(\d+ s\): .*own.sock"):
        await noted.submit(("a",))  # it has failed four times: tries to connect
    own_redis.start()
    while True:  # the next look is within a second
        try:
            await noted.submit(("back",))
            break
        except BrokerAway:
            await asyncio.sleep(0.05)
    await noted.submit(("at once",))


async def test_a_restart_between_two_publishes_is_no_failure(own_redis: OwnRedis, noted: Any, redis: Redis) -> None:
    await noted.submit(("a",))
    own_redis.kill()
    own_redis.start()
    await noted.submit(("b",))
    assert redis.llen(QUEUE) == 1


async def test_what_was_sent_and_not_confirmed_may_arrive(own_redis: OwnRedis, noted: Any, redis: Redis) -> None:
    await noted.submit(("a",))
    own_redis.stop()
    with pytest.raises(Unconfirmed, match=r"may still arrive, as .*; a task that has a key") as caught:
        await noted.submit(("b",), deadline=0.2)
    own_redis.go_on()
    await until(lambda: redis.llen(QUEUE) == 2)
    assert caught.value.id.encode() in redis.lrange(QUEUE, 0, 0)[0]


async def test_with_a_key_it_is_sent_until_it_is_confirmed(own_redis: OwnRedis, redis: Redis) -> None:
    with application(own_redis.url, deadline=0.05) as app:
        noted = app.tasks[NOTED]
        await noted.submit(("a",), deadline=5)
        own_redis.stop()
        late = asyncio.create_task(noted.submit(("b",), key="b", deadline=0.5))
        sent = asyncio.create_task(noted.submit(("b",), key="b", deadline=30))
        with pytest.raises(Unconfirmed, match="with the same key again"):
            await late  # was sent several times
        own_redis.go_on()
        await sent
        assert redis.llen(QUEUE) == 2


async def test_who_gives_up_in_time_sends_nothing(own_redis: OwnRedis, app: Celery[Any], redis: Redis) -> None:
    """Cancelled, or its deadline passed, while all threads wait for a broker that is silent."""
    noted = app.tasks[NOTED]
    await noted.submit(("a",))
    own_redis.stop()
    sent = [asyncio.create_task(noted.submit((str(n),), deadline=30)) for n in range(4)]
    await until(lambda: publisher_of(app).under_way == 4)
    cancelled = asyncio.create_task(noted.submit(("cancelled",)))
    await asyncio.sleep(0)
    with pytest.raises(DeadlinePassed, match="was not sent"):
        await noted.submit(("late",), deadline=0.05)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    own_redis.go_on()
    await asyncio.gather(*sent)
    await noted.submit(("last",))
    bodies = b"".join(redis.lrange(QUEUE, 0, -1))
    assert redis.llen(QUEUE) == 6
    assert bodies.count(b"galvo-at") == 6


async def test_who_gives_up_before_there_is_a_connection_sends_nothing(own_redis: OwnRedis, app: Celery[Any]) -> None:
    noted = app.tasks[NOTED]
    own_redis.stop()
    with pytest.raises(DeadlinePassed, match="no connection to the broker within") as caught:
        await noted.submit(("late",), deadline=0.1)
    assert not caught.value.may_arrive
    own_redis.go_on()
    await until(lambda: publisher_of(app).under_way == 0)
    await noted.submit(("b",))
    with Redis.from_url(own_redis.url) as redis:
        assert redis.llen(QUEUE) == 1


async def test_a_connection_that_was_idle_is_asked_first(
    own_redis: OwnRedis, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose other end is silent since: that is found out before the task is entrusted to it."""
    monkeypatch.setattr("galvo_tasks.publishing.link.HEALTHY", 0.01)
    with application(own_redis.url, deadline=0.1) as app:
        noted = app.tasks[NOTED]
        await noted.submit(("a",), deadline=5)
        await asyncio.sleep(0.02)
        own_redis.stop()
        with pytest.raises(NotPublished) as caught:
            await noted.submit(("b",), deadline=0.5)
        assert not caught.value.may_arrive
        own_redis.go_on()
        assert redis.llen(QUEUE) == 1


async def test_without_a_key_it_is_sent_once(own_redis: OwnRedis, redis: Redis) -> None:
    with application(own_redis.url, deadline=0.1) as app:
        noted = app.tasks[NOTED]
        await noted.submit(("a",), deadline=5)
        own_redis.stop()
        with pytest.raises(Unconfirmed, match=r"did not confirm it \("):
            await noted.submit(("b",), deadline=5)
        own_redis.go_on()
        await noted.submit(("c",), deadline=5)
        assert redis.llen(QUEUE) == 3


async def test_no_more_wait_than_there_is_room_for(
    own_redis: OwnRedis, noted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("galvo_tasks.publishing.publisher.WAITING", 5)
    own_redis.stop()
    sent = [asyncio.create_task(noted.submit((str(n),))) for n in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(BrokerAway, match="5 tasks already wait"):
        await noted.submit(("one too many",))
    own_redis.go_on()
    await asyncio.gather(*sent)


def test_who_is_interrupted_sends_nothing(own_redis: OwnRedis, noted: Any, redis: Redis) -> None:
    """By the soft time limit of the task that asks, for example."""

    def interrupt(number: int, frame: Any) -> None:
        own_redis.go_on()
        raise InterruptedError

    before = signal.signal(signal.SIGUSR1, interrupt)
    own_redis.stop()
    try:
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        with pytest.raises(InterruptedError):
            noted.delay("interrupted")
        timer.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    close(noted.app)  # waits for the thread
    assert not redis.exists(QUEUE)


async def test_a_full_broker_says_so(app: Celery[Any], noted: Any, redis: Redis) -> None:
    await noted.submit(("a",))
    redis.config_set("maxmemory", 1)
    with pytest.raises(BrokerRefused, match="maxmemory") as caught:
        await noted.submit(("b",))
    assert not caught.value.may_arrive
    redis.config_set("maxmemory", 0)
    await noted.submit(("c",))
    assert redis.llen(QUEUE) == 2


async def test_a_lost_connection_is_not_sent_again_without_a_key(rabbit: Rabbit) -> None:
    url = rabbit.fresh()
    with application(url) as app:
        noted, idempotent = app.tasks[NOTED], app.tasks["idempotent"]
        await noted.submit(("a",))
        rabbit.drop_connections()
        await noted.submit(("b",))  # it was seen that the connection is closed, before anything was sent
        await idempotent.submit(("c",), key="c")
        assert rabbit.queues(url) == {"test.quick": (3, 0)}
        rabbit.pause()
        try:
            with pytest.raises(Unconfirmed):
                await noted.submit(("d",), deadline=0.2)
        finally:
            rabbit.go_on()


async def test_a_queue_that_was_deleted_is_no_hole(rabbit: Rabbit) -> None:
    url = rabbit.fresh()
    with application(url) as app:
        noted = app.tasks[NOTED]
        await noted.submit(("a",))
        with app.connection_for_write() as connection:
            connection.default_channel.queue_delete("test.quick")
        with pytest.raises(BrokerRefused):
            await noted.submit(("b",))
        await noted.submit(("c",))
        assert rabbit.queues(url) == {"test.quick": (1, 0)}


async def test_closing_waits_for_what_is_under_way(own_redis: OwnRedis, app: Celery[Any], redis: Redis) -> None:
    noted = app.tasks[NOTED]
    await noted.submit(("a",))
    own_redis.stop()
    sent = asyncio.create_task(noted.submit(("b",), deadline=30))
    await until(lambda: publisher_of(app).under_way == 1)
    closing = asyncio.create_task(asyncio.to_thread(close, app))
    await asyncio.sleep(0.02)
    own_redis.go_on()
    await closing
    await sent
    assert redis.llen(QUEUE) == 2


def test_a_fork_publishes_by_its_own_means(noted: Any, redis: Redis) -> None:
    noted.delay("parent")
    child = os.fork()
    if not child:
        try:
            noted.delay("child")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    noted.delay("parent")
    assert redis.llen(QUEUE) == 3
