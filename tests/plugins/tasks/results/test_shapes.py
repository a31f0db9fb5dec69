"""What is not public in the libraries, and is overridden or called: an upgrade that changes it is noticed here."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from billiard import current_process
from celery.worker.request import Request
from redis.asyncio import Connection

from galvo_tasks.jobs import Cancelled, Progress, State, progress
from galvo_tasks.jobs.requested import Requested
from galvo_tasks.jobs.running import RUNNING, Run


@pytest.mark.parametrize("name", ["on_failure", "on_timeout", "_announce_revoked"])
def test_the_requests_methods(name: str) -> None:
    theirs, ours = (list(inspect.signature(getattr(kind, name)).parameters) for kind in (Request, Requested))
    assert ours == theirs


def test_the_subscribers_connection() -> None:
    assert {"disable_decoding", "timeout"} <= set(inspect.signature(Connection.read_response).parameters)
    assert "nowait" in inspect.signature(Connection.disconnect).parameters


def test_a_process_that_is_no_child() -> None:
    assert current_process().name == "MainProcess"


def test_progress_where_no_job_runs() -> None:
    progress(1, 2, "nobody waits")


@pytest.mark.parametrize("wrong", [(-1,), (float("nan"),), (0, float("inf")), (0, -2)])
def test_progress_that_means_nothing(wrong: tuple[float, ...]) -> None:
    token = RUNNING.set(Run("x", lambda run: None))
    with pytest.raises(ValueError, match=r"progress: (done|total) must be 0 or more"):
        progress(*wrong)
    RUNNING.reset(token)


def test_progress_is_sent_once_for_all_that_is_new() -> None:
    sent: list[Any] = []
    run = Run("x", sent.append)
    for step in range(1000):
        run.progress(step, 1000, "t" * 1000)
    assert sent == [run]
    assert run.fields() == {"done": 999.0, "total": 1000.0, "text": "t" * 300}
    run.cancelled = True
    with pytest.raises(Cancelled):
        run.progress(1, 2, "")


@pytest.mark.parametrize("done, total, share", [(1, 4, 0.25), (5, 4, 1.0), (3, 0, None)])
def test_the_share_that_is_done(done: float, total: float, share: float | None) -> None:
    assert Progress(State.RUNNING, done, total).share == share
