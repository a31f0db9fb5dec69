"""Tasks, in the process of an application that asks for them."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from celery import Celery

from galvo import Context, GalvoError, Plugin, PluginError
from galvo_tasks.app import EMBEDDED, bind
from galvo_tasks.settings import TasksSettings


class TasksPlugin(Plugin):
    """Tasks: Celery made resource-aware, prioritised and safe."""

    name = "tasks"
    after = ("embedded", "pool")
    provides = ("tasks",)
    settings_type = TasksSettings

    def __init__(self, settings: TasksSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self.app: Celery[Any] | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        if self._settings.app:
            self.app = loaded(self._settings.app)
            if self._settings.broker.get_secret_value() == EMBEDDED:
                bind(self.app, await self._embedded())
        yield

    async def _embedded(self) -> str:
        servers = self.context.capability("servers")
        if servers is None:
            raise PluginError(self.name, 'broker = "embedded" needs the plugin embedded: set [embedded] on = true')
        return str(await servers.redis())


def loaded(path: str) -> Celery[Any]:
    """The application that `path`, "package.module:name", names. Raises PluginError."""
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name or "app")
    except GalvoError:
        raise
    except Exception as error:  # of whatever is in that module
        why = str(error) if isinstance(error, ImportError | AttributeError) else f"{type(error).__name__}: {error}"
        raise PluginError("tasks", f'app = "{path}" under [tasks] cannot be imported: {why}') from error
    if not isinstance(found, Celery):
        raise PluginError(
            "tasks", f'app = "{path}" under [tasks] is a {type(found).__name__}, not a Celery application'
        )
    return found
