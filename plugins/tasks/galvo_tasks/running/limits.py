"""How long a task may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

GRACE = 3.0
"""Seconds that a coroutine may take to clean up after its limit, before its process is killed."""


class Limits(NamedTuple):
    """Seconds; None: as long as it likes. At `soft` it is told to end, at `hard` it is over."""

    hard: float | None = None
    soft: float | None = None

    @property
    def first(self) -> float | None:
        return self.hard if self.soft is None else self.soft

    @property
    def between(self) -> float:
        """What clean-up may take after `soft`."""
        return self.hard - self.soft if self.hard is not None and self.soft is not None else GRACE


def limits_of(task: Any, said: Sequence[float | None] | None) -> Limits:
    """What was `said` when the task was asked for, as (hard, soft), else what the task says, else its class."""
    hard, soft = said or (None, None)
    soft = soft or task.soft_time_limit
    hard = hard or task.time_limit or of_class(task)
    if hard is None:
        return Limits(soft + GRACE, soft) if soft else Limits()
    return Limits(hard, soft if soft and soft < hard else None)


def of_class(task: Any) -> float | None:
    """The time limit of its runtime class, if its application knows that one."""
    settings = getattr(task.app, "galvo", None)
    runtime = settings.classes.get(task.runtime) if settings is not None else None
    return runtime.time_limit if runtime is not None else None


class Limited:
    """Mixed into `Request`: what Celery's pool is told, which ends a task by a signal and kills its process."""

    _task: Any
    _said: Sequence[float | None] | None = None

    @property
    def time_limits(self) -> tuple[float | None, float | None]:
        """(hard, soft). A coroutine is ended by its own process: the pool has to do with what does not clean up."""
        hard, soft = limits_of(self._task, self._said)
        if hard is None or not self._task.is_coroutine:
            return hard, soft
        return hard + GRACE, hard + GRACE if soft else None

    @time_limits.setter
    def time_limits(self, said: Sequence[float | None]) -> None:
        self._said = said
