"""Each metric, made once for each set of attributes."""

from __future__ import annotations

from functools import lru_cache

from galvo import Metric

MANY = 64
"""Names of exceptions of a task that are told apart; classes can be made while the worker runs."""
OTHER = "_OTHER"
"""What OpenTelemetry calls an error type that is not told apart."""
_errors: dict[str, set[str]] = {}


@lru_cache(10_000)
def wait_time(task: str, priority: str) -> Metric:
    """Seconds from when it could have begun until it began."""
    return Metric("galvo.tasks.wait_time", "histogram", "s", (("task", task), ("priority", priority)))


@lru_cache(2_000)
def run_time(task: str) -> Metric:
    return Metric("galvo.tasks.run_time", "histogram", "s", (("task", task),))


def done(task: str, outcome: str, error: str = "") -> Metric:
    """`outcome`: success, failure, retry, lost, dead or cancelled; `error`: the name of an exception."""
    if error:
        names = _errors.setdefault(task, set())
        if error not in names:
            if len(names) >= MANY:
                error = OTHER
            else:
                names.add(error)
    return _done(task, outcome, error)


@lru_cache(10_000)
def _done(task: str, outcome: str, error: str) -> Metric:
    attributes = (("task", task), ("outcome", outcome), *((("error", error),) if error else ()))
    return Metric("galvo.tasks.done", "counter", "{task}", attributes)
