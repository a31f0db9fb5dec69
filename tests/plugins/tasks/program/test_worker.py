"""`galvo tasks worker`: how it begins, what it says, how it ends."""

from __future__ import annotations

import signal

from galvo_tasks import celery_app
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.program import work
from tests.plugins.tasks.stand import Stand, Worker


def send(stand: Stand, name: str, *args: object, runtime: str = "quick") -> None:
    celery_app("test", stand.settings).send_task(f"{work.__name__}.{name}", args, queue=f"test.{runtime}")


def begun(stand: Stand, *words: str) -> Worker:
    """Not ready yet."""
    worker = Worker(stand.folder, words)
    stand.workers.append(worker)
    return worker


def test_the_first_signal_lets_what_runs_finish(stand: Stand) -> None:
    send(stand, "slow", "a", 1.0)
    worker = stand.worker("--class", "quick", "--class", "bulk", "--concurrency", "2")
    stand.until(lambda: stand.notes() == ["a begins"])
    assert worker.stop() == 0
    assert stand.notes() == ["a begins", "a ends"]
    lines = worker.log().splitlines()
    assert lines[0] == "galvo tasks worker: test, class quick, bulk"
    assert "  concurrency  2" in lines[2]
    assert "long, slow, stubborn" in worker.log()
    assert max(map(len, (line for line in lines if not line[:4].isdigit()))) <= 80
    assert not [line for line in lines if "received" in line or "succeeded" in line]


def test_the_second_signal_ends_what_runs(stand: Stand) -> None:
    send(stand, "slow", "a", 60.0)
    worker = stand.worker("--class", "quick")
    stand.until(lambda: stand.notes() == ["a begins"])
    worker.process.send_signal(signal.SIGINT)
    worker.until("once more ends them")
    assert worker.stop() == 1
    assert "ends the tasks that run" in worker.log()


def test_the_third_signal_does_not_wait(stand: Stand) -> None:
    send(stand, "stubborn", 60.0)
    worker = stand.worker("--class", "quick")
    stand.until(lambda: stand.notes() == ["stubborn begins"])
    worker.process.send_signal(signal.SIGTERM)
    worker.until("once more ends them")
    worker.process.send_signal(signal.SIGTERM)
    worker.until("ends the tasks that run")
    assert worker.stop() == 1


def test_a_class_of_threads(stand: Stand) -> None:
    send(stand, "threaded", runtime="laser")
    worker = stand.worker("--class", "laser")
    stand.until(lambda: stand.notes() != [])
    assert "Thread" in stand.notes()[0]
    assert "3" in worker.log().splitlines()[2]
    assert worker.stop() == 0


def test_the_second_signal_ends_threads(stand: Stand) -> None:
    send(stand, "threaded", 60.0, runtime="laser")
    worker = stand.worker("--class", "laser")
    stand.until(lambda: stand.notes() != [])
    worker.process.send_signal(signal.SIGTERM)
    worker.until("once more ends them")
    assert worker.stop() == 1
    assert "Traceback" not in worker.log()


def test_a_worker_waits_for_its_broker_and_ends_meanwhile(no_broker: Stand) -> None:
    first, second = begun(no_broker, "--class", "quick"), begun(no_broker, "--class", "quick")
    for worker in (first, second):
        worker.until("waits for it")
    assert first.stop() == 0
    redis = OwnRedis(no_broker.folder)
    redis.start()
    try:
        second.until("the broker is there, after")
        second.until("ready.")
    finally:
        second.close()
        redis.close()
