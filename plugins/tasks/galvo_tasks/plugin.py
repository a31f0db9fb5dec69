"""Tasks, in the process of an application that asks for them."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
from celery import Celery

from galvo import Context, Finding, GalvoError, Plugin, PluginError
from galvo_local import Surviving
from galvo_tasks import jobs
from galvo_tasks.app import EMBEDDED, bind, queues_of
from galvo_tasks.config.checkup import checkup
from galvo_tasks.metering.depth import tell_depth
from galvo_tasks.publishing.lifespan import publishing
from galvo_tasks.settings import TasksSettings


class TasksPlugin(Plugin):
    """Tasks: Celery made resource-aware, prioritised and safe."""

    name = "tasks"
    api = ">=1.2,<2"
    after = ("embedded", "pool")
    provides = ("tasks",)
    settings_type = TasksSettings

    def __init__(self, settings: TasksSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self.app: Celery[Any] | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        broker = self._settings.broker.get_secret_value()
        if not self._settings.app or not broker:
            yield
            return
        self.app = app = loaded(self._settings.app)
        if broker == EMBEDDED:
            bind(app, await self._embedded())
        surviving = Surviving(self.context.log)
        try:
            async with publishing(self.context, app, outbox=self._settings.outbox), anyio.create_task_group() as tasks:
                tasks.start_soon(tell_depth, app, queues_of(app), self.context.record, surviving)
                yield
                tasks.cancel_scope.cancel()
        finally:
            await jobs.close()

    async def checkup(self) -> Sequence[Finding]:
        return await anyio.to_thread.run_sync(checkup, self.app, abandon_on_cancel=True)

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
