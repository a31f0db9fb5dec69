"""Everything about an application that is known to go wrong."""

from __future__ import annotations

from typing import Any

from celery import Celery

from galvo_tasks.config.checks import OF_CONFIGURATION, OF_SERVER, Case
from galvo_tasks.config.server import Server
from galvo_tasks.config.trap import Trap
from galvo_tasks.settings import TasksSettings


def check(app: Celery[Any], server: Server | None = None) -> list[Trap]:
    """Its traps, fatal ones first; `server`: what the broker says of itself (`galvo_tasks.config.server`)."""
    settings: Any = getattr(app, "galvo", None)
    if not isinstance(settings, TasksSettings):
        return [Trap(str(app.main), "was never configured: call galvo_tasks.configure(app) before its first task")]
    case = Case(app, settings, server)
    kinds = OF_CONFIGURATION if server is None else (*OF_CONFIGURATION, *OF_SERVER)
    return sorted((trap for kind in kinds for trap in kind(case)), key=lambda trap: not trap.fatal)
