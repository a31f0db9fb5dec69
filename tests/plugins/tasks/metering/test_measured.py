from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.worker import request as celery_request
from kombu import Message

from galvo_tasks import Priority, TasksSettings, celery_app
from galvo_tasks.metering import recorder
from galvo_tasks.metering.metrics import MANY, OTHER, done
from galvo_tasks.request import Request
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.stand import Stand, standing

JOBS = "tests.plugins.tasks.metering.jobs"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    redis = OwnRedis(tmp_path_factory.mktemp("redis"))
    redis.start()
    with standing(tmp_path_factory.mktemp("app"), redis.url, app=f"{JOBS}:app", kernel=False) as stand:
        stand.worker()
        yield stand
    redis.close()


@pytest.fixture(autouse=True)
def nobody_listens() -> Iterator[None]:
    yield
    recorder.send_to(None)


@pytest.fixture
def send(shared: Stand) -> Any:
    (shared.folder / "notes").unlink(missing_ok=True)
    app = celery_app("test", shared.settings)

    def send(name: str, *args: Any, at: float | None = None, **options: Any) -> None:
        headers = {"galvo-at": time.time() if at is None else at}
        app.send_task(f"{JOBS}.{name}", args, headers=headers, **{"priority": int(Priority.NORMAL), **options})

    return send


def told(stand: Stand, number: int) -> dict[str, float]:
    """The first `number` values that were recorded, by metric with its attributes."""
    stand.until(lambda: len(stand.notes()) >= number)
    assert len(stand.notes()) == number, stand.notes()
    return {words: float(value) for words, _, value in (note.rpartition(" ") for note in stand.notes())}


def test_how_long_it_waited_and_ran_and_that_it_is_done(shared: Stand, send: Any) -> None:
    send("works", 0.2, at=time.time() - 100, priority=int(Priority.HIGH))
    values = told(shared, 3)
    assert 100 <= values["galvo.tasks.wait_time task=works priority=high"] < 130
    assert 0.2 <= values["galvo.tasks.run_time task=works"] < 30
    assert values["galvo.tasks.done task=works outcome=success"] == 1


@pytest.mark.parametrize(
    "at, eta, wait",
    [(-100.0, None, 100.0), (1000.0, None, 0.0), (-1000.0, -50.0, 50.0), (-50.0, -1000.0, 50.0), ("soon", None, None)],
)
def test_a_wait_begins_when_it_may_begin_and_is_never_negative(at: Any, eta: float | None, wait: float | None) -> None:
    app = celery_app("unit", TasksSettings.model_validate({"broker": "redis://127.0.0.1:1"}))

    @app.task
    def task() -> None: ...

    heard: list[tuple[str, float]] = []
    recorder.send_to(lambda metric, value: heard.append((metric.name, value)))
    now = time.time()
    headers = {
        "id": "1", "task": task.name, "galvo-at": now + at if isinstance(at, float) else at,
        "eta": None if eta is None else datetime.fromtimestamp(now + eta, UTC).isoformat(),
    }  # fmt: skip
    message = Message(
        body="[[], {}, {}]",
        headers=headers,
        content_type="application/json",
        content_encoding="utf-8",
        accept=["application/json"],
    )
    request = Request(message, app=app, task=task)
    request.on_accepted("1", time.monotonic())
    took = time.time() - now
    assert [name for name, _ in heard] == ([] if wait is None else ["galvo.tasks.wait_time"])
    assert all(wait is not None and (wait <= value <= wait + took or value == wait == 0) for _, value in heard)


@pytest.mark.parametrize(
    "how, outcome",
    [
        ("ignore", "outcome=success"), ("reject", "outcome=dead error=Reject"), ("stopped", "outcome=cancelled"),
        ("NobodyKnows", "outcome=failure error=NobodyKnows"),
    ],
)  # fmt: skip
def test_each_end_has_its_outcome(shared: Stand, send: Any, how: str, outcome: str) -> None:
    send("ends", how)
    assert f"galvo.tasks.done task=ends {outcome}" in told(shared, 3)


def test_one_whose_process_is_lost_is_counted_once(shared: Stand, send: Any) -> None:
    send("ends", "killed")
    values = told(shared, 3)
    assert [name for name in values if "done" in name] == [
        "galvo.tasks.done task=ends outcome=dead error=WorkerLostError"
    ]


def test_a_retry_is_counted_for_each_attempt(shared: Stand, send: Any) -> None:
    send("again")
    values = told(shared, 6)
    assert values["galvo.tasks.done task=again outcome=retry error=OSError"] == 1
    assert values["galvo.tasks.done task=again outcome=success"] == 1
    assert values["galvo.tasks.wait_time task=again priority=normal"] < 30


def test_one_over_its_limit_is_counted_once(shared: Stand, send: Any) -> None:
    send("works", 60, time_limit=0.2)
    assert "galvo.tasks.done task=works outcome=failure error=TimeLimitExceeded" in told(shared, 3)


def test_one_that_has_expired_is_cancelled_and_has_neither_waited_nor_run(shared: Stand, send: Any) -> None:
    send("works", expires=datetime.now(UTC) - timedelta(seconds=5))
    assert told(shared, 1) == {"galvo.tasks.done task=works outcome=cancelled": 1}


def test_a_task_whose_exceptions_have_ever_new_names_does_not_make_ever_new_metrics() -> None:
    metrics = {done("many", "failure", f"Error{number}") for number in range(10 * MANY)}
    assert len(metrics) == MANY + 1
    assert ("error", OTHER) in done("many", "failure", "one more").attributes
    assert done("many", "failure", "Error1") is done("many", "failure", "Error1")


def test_without_anybody_who_listens_values_go_nowhere() -> None:
    recorder.send_to(None)
    recorder.record(done("nobody", "success"))


def test_celerys_request_still_has_the_shape_that_is_overridden() -> None:
    names = {name: [*inspect.signature(getattr(celery_request.Request, name)).parameters] for name in SHAPE}
    assert names == SHAPE
    made = inspect.getsource(celery_request.create_request_cls)
    assert made.count("        def ") == 2  # execute_using_pool and on_success are its own
    assert "self.acknowledge()" in made
    assert "accept_callback=self.on_accepted" in made
    assert "error_callback=self.on_failure" in made
    assert "time_limit, soft_time_limit = self.time_limits" in made


SHAPE = {
    "on_accepted": ["self", "pid", "time_accepted"],
    "on_timeout": ["self", "soft", "timeout"],
    "on_failure": ["self", "exc_info", "send_failed_event", "return_ok"],
    "acknowledge": ["self"],
    "_announce_revoked": ["self", "reason", "terminated", "signum", "expired"],
}
