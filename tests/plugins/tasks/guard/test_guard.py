"""Nothing is acknowledged before it is where it is to be kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads
from typing import Any

import msgspec
import pytest
from celery import signals
from kombu.exceptions import OperationalError

from galvo_tasks.guard.dead import InRedis
from galvo_tasks.guard.entry import Entry, entry
from galvo_tasks.guard.guard import AGAIN_AFTER, Guard
from galvo_tasks.guard.letter import Letter
from galvo_tasks.guard.verdict import MAY_HAVE_RUN
from galvo_tasks.jobs.ledger import ledger_of
from galvo_tasks.jobs.telling import teller_of
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.guard.perilous import Perilous, perilous


class Timer:
    """Celery's, which a test advances."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []

    def call_after(self, seconds: float, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self.waiting.append((seconds, function, arguments))

    def advance(self) -> float:
        seconds, function, arguments = self.waiting.pop(0)
        function(*arguments)
        return seconds


@pytest.fixture
def those(tmp_path: Path, own_redis: OwnRedis) -> Any:
    with perilous(tmp_path, own_redis.url, deadline=0.5) as those:
        yield those


def letter() -> Letter:
    return Letter(b"[[], {}, {}]", "application/json", "utf-8", {"id": "a", "task": "guard.told"}, "", "perils.quick")


def test_while_the_broker_is_away_nothing_is_acknowledged(those: Perilous, own_redis: OwnRedis) -> None:
    guard, done = Guard(those.app), list[str]()
    guard.timer = Timer()
    own_redis.kill()
    guard.first(lambda: guard.put_aside(entry(letter(), "why")), lambda: done.append("acknowledged"))
    assert done == []
    assert guard.timer.advance() == AGAIN_AFTER
    assert done == []
    own_redis.start()
    guard.timer.advance()
    assert done == ["acknowledged"]
    assert [one.reason for one in those.letters.entries()] == ["why"]
    assert guard.timer.waiting == []


@pytest.mark.parametrize("url", ["amqp://guest:guest@127.0.0.1:1//", "redis://127.0.0.1:1/0"])
def test_a_broker_that_is_away_does_not_stop_the_worker(tmp_path: Path, url: str) -> None:
    with perilous(tmp_path, url) as those:
        guard, done = Guard(those.app), list[str]()
        guard.timer = Timer()
        guard.first(lambda: guard.send_again(letter()), lambda: done.append("acknowledged"))
        guard.first(lambda: guard.put_aside(entry(letter(), "why")), lambda: done.append("acknowledged"))
    assert len(guard.timer.waiting) == 2
    assert done == []


def test_whoever_waits_for_it_learns_that_it_is_put_aside(those: Perilous) -> None:
    guard, told = Guard(those.app), list[Any]()

    @those.app.task(name="guard.told", keep_result=True)
    def task() -> None: ...

    record: Any = lambda exception, task_id, **_: told.append((task_id, str(exception)))  # noqa: E731
    signals.task_failure.connect(record, sender=task)
    ledger_of(those.app).announce("a")
    guard.refuse(task, letter(), "why")
    assert teller_of(those.app).wait(20) == 0
    assert ledger_of(those.app).state("a") == b"failed"
    assert told == [("a", "why")]
    ledger_of(those.app).close()


def test_without_a_timer_the_fault_is_raised(those: Perilous, own_redis: OwnRedis) -> None:
    guard = Guard(those.app)
    own_redis.kill()
    with pytest.raises(OperationalError):
        guard.first(lambda: guard.put_aside(entry(letter(), "why")), lambda: None)


def test_only_what_was_called_lost_is_taken_back(those: Perilous) -> None:
    """A failure of the same message, which this worker has seen itself, stays; the list is not read for it."""
    guard = Guard(those.app)
    guard.timer = Timer()
    with closing(those.app.connection_for_read()) as connection:
        redis = connection.default_channel.client
        redis.config_resetstat()
        those.letters.put(entry(letter(), "it has failed for good"))
        guard.settle(letter(), (1.0, 2.0))
        assert [guard.timer.advance(), guard.timer.advance()] == [1.0, 2.0]
        those.stand.until(lambda: not settling())
        assert (guard.timer.waiting, those.letters.count()) == ([], 1)
        those.letters.put(entry(letter(), MAY_HAVE_RUN))
        guard.settle(letter(), (1.0, 2.0, 3.0))
        guard.timer.advance()
        those.stand.until(lambda: not settling())
        assert those.letters.count() == 0
        guard.timer.advance()
        assert (guard.timer.waiting, settling()) == ([], [])
        assert "cmdstat_hscan" not in redis.info("commandstats")


def test_a_look_keeps_nobody_waiting_and_is_one_for_all(those: Perilous) -> None:
    guard, go, looked = Guard(those.app), Event(), list[Collection[str]]()
    guard.timer = Timer()

    class Slow(InRedis):
        def settle(self, keys: Collection[str]) -> list[Entry]:
            looked.append(keys)
            go.wait(20)
            return super().settle(keys)

    guard.letters = Slow(those.app)
    for number in range(5):
        one = msgspec.structs.replace(letter(), body=b"%d" % number)
        those.letters.put(entry(one, MAY_HAVE_RUN))
        guard.settle(one, (1.0,))
        guard.timer.advance()
    assert those.letters.count() == 5
    go.set()
    those.stand.until(lambda: not settling())
    assert those.letters.count() == 0
    assert len(looked) <= 2


def settling() -> list[str]:
    return [thread.name for thread in enumerate_threads() if thread.name == "galvo-settling"]
