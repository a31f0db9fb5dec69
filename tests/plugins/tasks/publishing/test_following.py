"""The next step of a chain, when its broker does not take it just as the step before ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery, group
from celery.app.trace import build_tracer
from celery.utils.serialization import get_pickleable_exception
from kombu.exceptions import OperationalError
from redis import Redis

from galvo_tasks.publishing.problems import NotFollowed
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.publishing.conftest import NOTED, application

QUEUE = "test.quick\x06\x165"
Ends = Callable[..., Any]


@pytest.fixture
def app(own_redis: OwnRedis) -> Iterator[Celery[Any]]:
    with application(own_redis.url, deadline=0.2) as made:
        yield made


@pytest.fixture
def ends(app: Celery[Any], impatient: None, monkeypatch: pytest.MonkeyPatch) -> Ends:
    """Runs a task as a worker's process does; gives the state and the outcome that its main process is told."""
    monkeypatch.setattr("galvo_tasks.running.retrying.PAUSE", 0.02)

    @app.task(name="first", shared=False)
    def first(value: Callable[[], Any]) -> Any:
        return value()

    run = build_tracer("first", first, app=app)

    def ends(value: Callable[[], Any], outcome: bool = False, **request: Any) -> Any:
        request = {"id": "first", "retries": 0, "args": (value,), "kwargs": {}, "is_eager": False, **request}
        result, info, _, _ = run("first", (value,), {}, request)
        if outcome:  # as it is sent to the main process
            return result
        return (info.state, info.retval) if info else ("SUCCESS", None)

    return ends


def test_it_is_asked_for_until_the_broker_is_back_and_once(
    app: Celery[Any], ends: Ends, own_redis: OwnRedis, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time, as by one that is idempotent and was given to another worker, adds nothing."""
    own_redis.kill()
    monkeypatch.setattr("galvo_tasks.publishing.following.log.warning", lambda *_: own_redis.start())
    step = app.tasks[NOTED].si("second").set(task_id="second")
    for _ in range(2):
        assert ends(lambda: None, chain=[step]) == ("SUCCESS", None)
    assert redis.llen(QUEUE) == 1
    assert ends(lambda: None, chain=[step], retries=1)[0] == "SUCCESS"
    assert redis.llen(QUEUE) == 2


@pytest.mark.parametrize("how", ["chain", "callbacks"])
def test_with_its_broker_away_for_long_the_main_process_is_told_so(
    app: Celery[Any], ends: Ends, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("galvo_tasks.running.retrying.AWAY", 0.1)
    own_redis.kill()
    state, error = ends(lambda: None, **{how: [app.tasks[NOTED].si("second")]})
    assert state == "FAILURE"
    told = get_pickleable_exception(error)  # what it cannot send as it is, Celery tells otherwise
    assert isinstance(told, NotFollowed)
    assert str(told).startswith(f"task first has run, but {NOTED}, which follows it, could not be asked for: ")


def test_a_group_follows_as_a_whole(
    app: Celery[Any], ends: Ends, own_redis: OwnRedis, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_redis.kill()
    monkeypatch.setattr("galvo_tasks.publishing.following.log.warning", lambda *_: own_redis.start())
    steps = group(app.tasks[NOTED].si(text) for text in ("second", "third"))
    assert ends(lambda: None, chain=[steps]) == ("SUCCESS", None)
    assert redis.llen(QUEUE) == 2


def test_what_the_time_limit_leaves_is_enough_to_say_so(app: Celery[Any], ends: Ends, own_redis: OwnRedis) -> None:
    own_redis.stop()
    state, error = ends(lambda: None, chain=[app.tasks[NOTED].si("second")], timelimit=(0.3, None))
    own_redis.go_on()
    assert (state, type(error)) == ("FAILURE", NotFollowed)


def test_a_result_that_cannot_be_told_is_no_failure_of_the_task(app: Celery[Any], ends: Ends) -> None:
    for value in (object(), "x" * 300_000):
        state, error = ends(lambda value=value: value, chain=[app.tasks[NOTED].s()])
        assert (state, type(error)) == ("FAILURE", NotFollowed)


def test_a_step_of_another_application_is_no_exception(app: Celery[Any], ends: Ends) -> None:
    told = ends(object, chain=[app.signature("theirs")], outcome=True)
    assert isinstance(told.exception, NotFollowed)
    assert str(told.exception).startswith("task first has run, but what follows it could not be asked for: ")


def test_what_the_task_asks_for_itself_is_its_own_failure(app: Celery[Any], ends: Ends, own_redis: OwnRedis) -> None:
    own_redis.kill()

    def asks() -> None:
        app.tasks[NOTED].delay("child")

    state, error = ends(asks, chain=[app.tasks[NOTED].si("second")])
    assert state == "FAILURE"
    assert isinstance(error, OperationalError)
    assert not isinstance(error, NotFollowed)
