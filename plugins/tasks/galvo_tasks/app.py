"""A Celery application that is configured right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import celery
from celery import Celery
from celery.utils.imports import symbol_by_name

from galvo.operating import read_settings
from galvo_tasks.config import doubles
from galvo_tasks.config.preset import preset, queue_name
from galvo_tasks.errors import NoBroker, TasksProblem
from galvo_tasks.settings import TasksSettings, settings_of
from galvo_tasks.task import Task

EMBEDDED = "embedded"


class Application(Celery[Any]):
    """Its tasks are its own: Celery's also become those of every other application in the process."""

    def task(self, *args: Any, **options: Any) -> Any:
        return super().task(*args, **{"shared": False, **options})


def celery_app(name: str, settings: TasksSettings | None = None) -> Celery[Any]:
    """A new application; `settings`: those of settings/galvo.toml in the working directory.

    Raises SettingsError, TasksProblem.
    """
    return configure(Application(name, task_cls=Task), settings)


def configure(app: Celery[Any], settings: TasksSettings | None = None) -> Celery[Any]:
    """Bring an application that exists to the same configuration, before its first task is made; gives it back.

    A `task_cls` of its own stays the base of its tasks. Raises SettingsError, TasksProblem.
    """
    if not app.main:
        raise TasksProblem('an application without a name would share its queues with all such: write Celery("shop")')
    settings = settings or read()
    app.galvo = settings  # type: ignore[attr-defined]  # its own place for what belongs to it
    doubles.watch(app)
    app.task_cls = _base(app)  # type: ignore[assignment]  # the stubs know names only
    if (broker := settings.broker.get_secret_value()) not in ("", EMBEDDED):
        bind(app, broker)
    else:  # its tasks may be made before it is bound, and keep what they find
        told = preset(str(app.main), settings, "redis://")
        app.conf.update({name: value for name, value in told.items() if not name.endswith("_url")})
    return app


def _base(app: Any) -> type[Any]:
    """Of its tasks: its own goes before ours, but not in how a worker runs them."""
    theirs: type[Any] = symbol_by_name(app.task_cls)
    if issubclass(theirs, Task):
        return theirs
    how = {"abstract": True, "Request": Task.Request, "Strategy": Task.Strategy}
    return type(theirs.__name__, (theirs, Task), how) if theirs is not celery.Task else Task


def bind(app: Celery[Any], broker: str) -> None:
    """Give `app` its broker: an embedded one is known only once a kernel runs. Raises NoBroker without one."""
    if not broker:
        raise NoBroker('no broker: set broker under [tasks] to redis://, amqp://, or "embedded"')
    app.conf.update(preset(str(app.main), settings_of(app), broker))


def queues_of(app: Celery[Any]) -> dict[str, str]:
    """Its runtime classes by the names of their queues."""
    return {queue_name(str(app.main), name): name for name in settings_of(app).classes}


def read(root: Path = Path()) -> TasksSettings:
    """`[tasks]` of the settings in `root`. Raises SettingsError."""
    return read_settings(TasksSettings, "tasks", root)
