"""`configure` on an application that exists."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import celery
import pytest
from celery import Celery

from galvo import SettingsError
from galvo_tasks import Task, TasksSettings, celery_app, configure
from galvo_tasks.app import bind
from galvo_tasks.config.check import check
from galvo_tasks.errors import TasksProblem

REDIS = "redis://127.0.0.1:1/0"
SETTINGS = TasksSettings.model_validate({"broker": REDIS})
THEIRS = SimpleNamespace(worker_prefetch_multiplier=7, accept_content=["pickle"], timezone="Europe/Berlin")


def test_what_is_safe_wins_over_what_was_configured_before_and_after() -> None:
    for before in (True, False):
        app: Celery[object] = Celery("shop", broker="redis://elsewhere:1/0")
        if before:
            app.config_from_object(THEIRS)
        configure(app, SETTINGS)
        if not before:
            app.config_from_object(THEIRS)
        assert app.conf.worker_prefetch_multiplier == 1
        assert app.conf.accept_content == ["json"]
        assert app.conf.broker_url == REDIS
        assert app.conf.timezone == "Europe/Berlin"  # no safety of ours
        assert check(app) == []


def test_its_tasks_are_galvos() -> None:
    app = configure(Celery("shop"), SETTINGS)

    @app.task(shared=False, runtime="image", idempotent=True, keep_result=True)
    def raster() -> None: ...

    assert isinstance(app.tasks[raster.name], Task)
    assert (raster.runtime, raster.idempotent, raster.keep_result) == ("image", True, True)
    assert configure(app, SETTINGS) is app
    assert check(app) == []


class Mine(celery.Task):
    Request = "celery.worker.request:Request"
    mine = True


@pytest.mark.parametrize("task_cls", [Mine, f"{__name__}:Mine"])
def test_its_own_base_stays(task_cls: Any) -> None:
    app = configure(Celery("shop", task_cls=task_cls), SETTINGS)
    assert configure(app, SETTINGS) is app

    @app.task(shared=False, keep_result=True)
    def raster() -> None: ...

    assert isinstance(app.tasks[raster.name], Mine)
    assert isinstance(app.tasks[raster.name], Task)
    assert (raster.mine, raster.keep_result, raster.Request) == (True, True, Task.Request)
    assert check(app) == []


def test_a_task_with_a_base_that_is_not_galvos() -> None:
    app = celery_app("shop", SETTINGS)

    class Ours(app.Task):  # type: ignore[name-defined,misc]
        pass

    @app.task(name="ours", base=Ours)
    def ours() -> None: ...

    @app.task(name="mine", base=Mine)
    def mine() -> None: ...

    assert [(trap.name, trap.text.partition(",")[0]) for trap in check(app)] == [
        ("mine", "has a base that is not galvo's Task")
    ]


@pytest.mark.parametrize("name", [None, ""])
def test_an_application_without_a_name_is_refused(name: str | None) -> None:
    with pytest.raises(TasksProblem, match="would share its queues with all such: write Celery"):
        configure(Celery(name), SETTINGS)


def test_without_a_broker_it_can_be_imported() -> None:
    app = celery_app("shop", TasksSettings.model_validate({}))
    assert app.conf.broker_url is None


def test_a_task_that_is_made_before_the_embedded_broker_is_known() -> None:
    app = celery_app("shop", TasksSettings.model_validate({"broker": "embedded"}))

    @app.task(shared=False)
    def raster() -> None: ...

    assert (raster.acks_late, raster.ignore_result) == (True, True)  # which makes it
    bind(app, REDIS)
    assert check(app) == []


def test_the_settings_are_those_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings").mkdir()
    path = tmp_path / "settings" / "galvo.toml"
    path.write_text(f'[tasks]\nbroker = "{REDIS}"\n[tasks.classes.laser]\nmemory = "1GiB"\n')
    monkeypatch.chdir(tmp_path)
    assert "shop.laser" in celery_app("shop").amqp.queues
    path.write_text('[tasks]\nbroker = "redis://x"\n[tasks.classes.laser]\nmemory = "plenty"\n')
    with pytest.raises(SettingsError, match="'plenty' is not a size"):
        celery_app("shop")


def test_two_applications_of_a_process_have_tasks_of_their_own() -> None:
    first, second = (celery_app(name, TasksSettings.model_validate({})) for name in ("first", "second"))

    @first.task(name="engrave")
    def engrave() -> None: ...

    assert "engrave" in first.tasks
    assert "engrave" not in second.tasks
