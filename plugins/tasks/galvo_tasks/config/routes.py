"""Which queue a task waits in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from galvo_tasks.config.errors import UnknownClass
from galvo_tasks.priority import Priority

DEFAULT_CLASS = "quick"


def queue_name(app: str, runtime: str) -> str:
    """The queue of a runtime class: those of several applications may share a broker."""
    return f"{app}.{runtime}"


class Router:
    """Celery asks it (`task_routes`) where a task goes; what the caller says of that goes before."""

    def __init__(self, app: str, classes: Collection[str], kind: str) -> None:
        self._app = app
        self._classes = classes
        self._normal = Priority.NORMAL.on(kind)

    def __call__(
        self, name: str, args: Any, kwargs: Any, options: Any, task: Any = None, **others: Any
    ) -> dict[str, Any]:
        """One that is known by its name only is of the default class, and normal: without a number it would be the
        first of all on Redis. Raises UnknownClass.
        """
        runtime = getattr(task, "runtime", DEFAULT_CLASS)
        if runtime not in self._classes:
            raise UnknownClass(f"runtime={runtime!r} of task {name}", self._classes)
        return {"queue": queue_name(self._app, runtime), "priority": self._normal}
