from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from galvo_tasks import Priority
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.rabbit import Rabbit
from tests.plugins.tasks.running.conftest import JOBS, Send, sender
from tests.plugins.tasks.stand import Stand, standing
from tests.thorough import THOROUGH


def attempts(stand: Stand) -> list[list[str]]:
    """Name, retries, priority, queue and headers of each."""
    return [note.rsplit(" ", 1)[0].split(" ", 4) for note in stand.notes()]


@pytest.mark.parametrize("name", ["flaky", "flaky_too"])
def test_it_is_tried_again_with_the_priority_the_class_and_the_headers_it_had(
    shared: Stand, send: Send, name: str
) -> None:
    number = Priority.URGENT.on("redis")
    send(name, "order", priority=number, headers={"shop": "7", "galvo-lost": 1, "redelivered": True})
    shared.until(lambda: len(shared.notes()) == 3)
    first, *later = attempts(shared)
    assert first == ["order", "0", "0", "test.quick", "['galvo-lost', 'redelivered', 'shop']"]
    assert [attempt[:4] for attempt in later] == [["order", str(retry), "0", "test.quick"] for retry in (1, 2)]
    assert {attempt[4] for attempt in later} == {"['galvo-key', 'shop']"}  # the key is that of the retry


def test_waits_are_shorter_than_a_second_and_no_shorter_than_the_floor(shared: Stand, send: Send) -> None:
    send("flaky", "timed", 6)
    shared.until(lambda: len(shared.notes()) == 7)
    times = [float(note.rsplit(" ", 1)[1]) for note in shared.notes()]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert min(waits) >= 0.02
    assert len({round(wait, 2) for wait in waits}) > 1


def test_with_its_budget_used_up_it_has_failed_with_its_last_error(shared: Stand, send: Send) -> None:
    number = send("flaky", "spent", 100, "ConnectionError")
    worker = shared.workers[0]
    worker.until(f"flaky[{number}] raised unexpected: ConnectionError('spent ")
    tries = len(shared.notes())
    assert 1 < tries <= 21
    assert f"raised unexpected: ConnectionError('spent {tries - 1}')" in worker.log()
    assert "its budget is 0.4 s" in worker.log()


def test_an_exception_whose_policy_is_none_fails_at_once(shared: Stand, send: Send) -> None:
    number = send("flaky", "never", 5, "KeyError")
    shared.workers[0].until(f"flaky[{number}] raised unexpected: KeyError('never 0')")
    assert len(shared.notes()) == 1


def test_a_coroutine_that_asks_for_it_is_tried_again(shared: Stand, send: Send) -> None:
    send("asks_again", "asked")
    shared.until(lambda: len(shared.notes()) == 2)
    assert [attempt[1] for attempt in attempts(shared)] == ["0", "1"]


@pytest.mark.skipif(not THOROUGH, reason="one test does not start a RabbitMQ by default")
def test_priorities_survive_on_rabbitmq_too(rabbit: Rabbit, tmp_path: Path) -> None:
    with standing(tmp_path, rabbit.fresh(), app=f"{JOBS}:app") as stand:
        stand.worker()
        sender(stand)("flaky", "order", priority=Priority.HIGH.on("amqp"), headers={"shop": "7"})
        stand.until(lambda: len(stand.notes()) == 3)
        assert [attempt[2:] for attempt in attempts(stand)] == [["7", "test.quick", "['shop']"]] * 3


def test_a_broker_that_is_away_gets_the_retry_when_it_is_back(own_redis: OwnRedis, tmp_path: Path) -> None:
    with standing(tmp_path, own_redis.url, app=f"{JOBS}:app", kernel=False, deadline=1) as stand:
        worker = stand.worker()
        sender(stand)("fails_on_go")
        stand.until(lambda: stand.notes() == ["attempt 0"])
        own_redis.kill()
        (tmp_path / "go").touch()
        worker.until("fails_on_go is to be tried again, but that could not be published")
        own_redis.start()  # it has forgotten everything
        stand.until(lambda: stand.notes() == ["attempt 0", "attempt 1"])
