"""Which queue a task waits in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from galvo_tasks.config.errors import UnknownClass


def queue_name(app: str, runtime: str) -> str:
    """The queue of a runtime class: those of several applications may share a broker."""
    return f"{app}.{runtime}"


class Router:
    """Celery asks it (`task_routes`) for each task that is published without a queue."""

    def __init__(self, app: str, classes: Collection[str]) -> None:
        self._app = app
        self._classes = classes

    def __call__(
        self, name: str, args: Any, kwargs: Any, options: Any, task: Any = None, **others: Any
    ) -> dict[str, str] | None:
        """None for one that is known by its name only: it waits in the default queue. Raises UnknownClass."""
        runtime = getattr(task, "runtime", None)
        if runtime is None:
            return None
        if runtime not in self._classes:
            raise UnknownClass(f"runtime={runtime!r} of task {name}", self._classes)
        return {"queue": queue_name(self._app, runtime)}
