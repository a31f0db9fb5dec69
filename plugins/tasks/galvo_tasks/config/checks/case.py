"""What is checked."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from celery import Celery

from galvo_tasks.config.preset import kind_of
from galvo_tasks.config.server import Server
from galvo_tasks.settings import TasksSettings
from galvo_tasks.task import Task


class Case:
    """An application, and what its broker says of itself if it was asked."""

    def __init__(self, app: Celery[Any], settings: TasksSettings, server: Server | None = None) -> None:
        self.app = app
        self.settings = settings
        self.server = server
        self.conf: Any = app.conf
        self.name = str(app.main)

    @cached_property
    def kind(self) -> str:
        """ "redis" or "amqp"."""
        return kind_of(str(self.conf.broker_url or ""))

    @cached_property
    def options(self) -> dict[str, Any]:
        return dict(self.conf.broker_transport_options or {})

    @cached_property
    def leased(self) -> bool:
        """Whether its transport is galvo's, which renews the lease of what it holds."""
        return str(self.app.connection_for_read().get_transport_cls().__module__).startswith("galvo_tasks.")

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """By name, without Celery's own."""
        return {name: task for name, task in self._made.items() if isinstance(task, Task)}

    @cached_property
    def strangers(self) -> list[str]:
        """Names of tasks that are not galvo's."""
        return [name for name, task in self._made.items() if not isinstance(task, Task)]

    @cached_property
    def _made(self) -> dict[str, Any]:
        return {name: task for name, task in sorted(self.app.tasks.items()) if not name.startswith("celery.")}
