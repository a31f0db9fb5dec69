"""Threads as pool: all tasks of the process on one loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.running.conftest import JOBS, Send, sender, turn_on_pool
from tests.plugins.tasks.stand import Stand, standing


@pytest.fixture(scope="module")
def shared(module_redis: OwnRedis, tmp_path_factory: pytest.TempPathFactory, server_dsn: str) -> Iterator[Stand]:
    classes = {"quick": {"pool": "threads", "concurrency": 4}}
    with standing(tmp_path_factory.mktemp("threads"), module_redis.url, app=f"{JOBS}:app", classes=classes) as stand:
        turn_on_pool(stand.folder, server_dsn)
        stand.worker("--class", "quick", "--verbose")
        yield stand


def test_coroutines_run_at_once_on_one_loop_and_end_in_any_order(shared: Stand, send: Send) -> None:
    send("meets", 1, 3)
    send("meets", 2, 3)
    send("meets", 3, 3)
    shared.until(lambda: len(shared.notes()) == 3)
    assert sorted(shared.notes()) == ["1 met 3", "2 met 3", "3 met 3"]


def test_each_sees_its_own_request_and_context(shared: Stand, send: Send) -> None:
    for number in range(20):
        send("told", str(number))
    shared.until(lambda: len(shared.notes()) == 20)
    assert {note.split()[1] for note in shared.notes()} == {"True"}
    assert len({note.split()[3] for note in shared.notes()}) == 1


def test_limits_hold_without_a_signal_and_without_a_process_to_kill(shared: Stand, send: Send) -> None:
    hard = send("slow", "hard", time_limit=0.3)
    soft = send("slow", "soft", 60, 0.1, soft_time_limit=0.3, time_limit=20)
    worker = shared.workers[0]
    worker.until(f"slow[{hard}] raised unexpected: TimeLimitExceeded(0.3")
    worker.until(f"slow[{soft}] raised unexpected: SoftTimeLimitExceeded(0.3")
    assert {"hard cleaned up", "soft cleaned up"} <= {*shared.notes()}


def test_one_is_cancelled_by_its_id_and_the_others_go_on(shared: Stand, send: Send) -> None:
    number = send("slow", "one")
    shared.until(lambda: "one begins" in shared.notes())
    send("cancels", number)
    shared.until(lambda: "one cleaned up" in shared.notes())
    send("cancels", "unknown")
    shared.until(lambda: "cancel: False" in shared.notes())
    assert {"cancel: True", "one cancelled: it was cancelled"} <= {*shared.notes()}


def test_both_kinds_share_the_kernel_of_the_process(shared: Stand, send: Send) -> None:
    send("asks", "select 40 + 2")
    send("asks_too", "select 40 + 3")
    shared.until(lambda: len(shared.notes()) == 2)
    assert sorted(shared.notes()) == ["async: 43", "sync: 42"]


def test_a_warm_stop_waits_for_what_runs_and_ends_the_kernel(module_redis: OwnRedis, shared: Stand, send: Send) -> None:
    send("watches")
    send("slow", "last", 0.3)
    shared.until(lambda: "last begins" in shared.notes() and len(shared.notes()) == 2)
    assert shared.workers[0].stop() == 0
    assert sum("has a kernel that runs: False" in note for note in shared.notes()) == 1
    assert not any("cancelled" in note for note in shared.notes())


@pytest.fixture
def send(shared: Stand) -> Send:
    (shared.folder / "notes").unlink(missing_ok=True)
    return sender(shared)
