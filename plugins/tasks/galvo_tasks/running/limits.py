"""How long a task may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

GRACE = 5.0
"""Seconds that a coroutine may take to clean up after its limit, before its process is killed."""


class Limits(NamedTuple):
    """Seconds; None: as long as it likes."""

    hard: float | None = None
    soft: float | None = None

    @property
    def first(self) -> float | None:
        """The one that ends first."""
        return self.hard if self.soft is None else self.soft

    @property
    def left_after_soft(self) -> float:
        """What clean-up may take between the two."""
        return GRACE if self.hard is None or self.soft is None else max(self.hard - self.soft, 0.0)


def limits_of(task: Any, said: Sequence[float | None] | None) -> Limits:
    """What was `said` when the task was asked for, as (hard, soft), else what the task says, else its class."""
    hard, soft = said or (None, None)
    hard = hard or task.time_limit or of_class(task)
    soft = soft or task.soft_time_limit
    return Limits(hard, soft if soft and (hard is None or soft < hard) else None)


def of_class(task: Any) -> float | None:
    """The time limit of its runtime class, if its application knows that one."""
    settings = getattr(task.app, "galvo", None)
    runtime = settings.classes.get(task.runtime) if settings is not None else None
    return runtime.time_limit if runtime is not None else None


class Limited:
    """Mixed into `Request`: what Celery's pool is told, from which it kills."""

    _task: Any
    _said: Sequence[float | None] | None = None

    @property
    def time_limits(self) -> tuple[float | None, float | None]:
        """A coroutine is ended by its own process at its limit; the pool kills only what does not clean up."""
        hard, soft = limits_of(self._task, self._said)
        return (hard + GRACE if hard and self._task.is_coroutine else hard), soft

    @time_limits.setter
    def time_limits(self, said: Sequence[float | None]) -> None:
        self._said = said
