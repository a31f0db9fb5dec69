"""The application that a command of `galvo tasks` works with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery

from galvo_tasks.app import EMBEDDED, bind, read
from galvo_tasks.errors import NoBroker, TasksProblem
from galvo_tasks.plugin import loaded
from galvo_tasks.program.embedded import embedded_redis
from galvo_tasks.settings import settings_of


@contextmanager
def application(path: str = "") -> Iterator[Celery[Any]]:
    """The one that `path`, "package.module:name", names, else the settings'; an embedded broker runs meanwhile.

    Raises TasksProblem, SettingsError, PluginError.
    """
    sys.path.insert(0, os.getcwd())
    path = path or read().app
    if not path:
        raise TasksProblem('no application: set app = "package.module:name" under [tasks], or say --app')
    app = loaded(path)
    if not hasattr(app, "galvo"):
        raise TasksProblem(f'{path} was never configured: make it with galvo_tasks.celery_app("{app.main or "shop"}")')
    broker = settings_of(app).broker.get_secret_value()
    if broker != EMBEDDED:
        if not broker:
            raise NoBroker('no broker: set broker under [tasks] to redis://, amqp://, or "embedded"')
        yield app
        return
    with embedded_redis() as url:
        bind(app, url)
        yield app
