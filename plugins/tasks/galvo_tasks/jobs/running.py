"""A job that runs in this process, and what its task says of it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from math import isfinite

from galvo_tasks.jobs import layout
from galvo_tasks.jobs.errors import Cancelled


class Run:
    """Of one job. `report` is called when there is something new to be told, `cancel` when it was cancelled."""

    def __init__(self, id: str, report: Callable[[Run], None]) -> None:
        self.id = id
        self.latest: tuple[float, float, str] | None = None
        self.cancelled = False
        self.told = True
        """The latest has been sent, or is about to be: its sender takes it last."""
        self.due = 0.0
        """When it may be sent again, by the sender's clock."""
        self._report = report

    def progress(self, done: float, total: float, text: str) -> None:
        """Raises Cancelled, ValueError."""
        if self.cancelled:
            raise Cancelled
        self.latest = _checked("done", done), _checked("total", total), text[: layout.TEXT]
        if self.told:
            self.told = False
            self._report(self)

    def fields(self) -> dict[str, float | str]:
        """The latest, as Redis holds it."""
        return dict(zip(("done", "total", "text"), self.latest, strict=True)) if self.latest else {}


RUNNING: ContextVar[Run] = ContextVar("galvo_tasks_job")


def progress(done: float, total: float = 0, text: str = "") -> None:
    """Tell whoever waits for this job how far it is; 0 as `total`: not known.

    Costs about a microsecond, from a thread and from a coroutine: what is new is sent ten times a second, by a thread
    of its own. Does nothing where no job runs: a task without keep_result=True, a function that is called directly.
    Raises Cancelled, which ends a task that was cancelled; ValueError.
    """
    run = RUNNING.get(None)
    if run is not None:
        run.progress(done, total, text)


def _checked(name: str, value: float) -> float:
    if not isfinite(value) or value < 0:
        raise ValueError(f"progress: {name} must be 0 or more, not {value}")
    return float(value)
