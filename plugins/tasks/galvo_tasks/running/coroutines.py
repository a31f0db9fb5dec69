"""A task whose function is a coroutine function."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from galvo_tasks.running import process
from galvo_tasks.running.errors import WrongThread
from galvo_tasks.running.flight import Flight
from galvo_tasks.running.limits import Limits, limits_of
from galvo_tasks.running.retrying import Retrying
from galvo_tasks.running.stack import ContextStack

T = TypeVar("T")
_flights: dict[str, Flight[Any]] = {}
os.register_at_fork(after_in_child=_flights.clear)


def cancel(task_id: str) -> bool:
    """Cancel a coroutine task that runs in this process; False: none with this id does. From any thread."""
    flight = _flights.get(task_id)
    if flight is not None:
        flight.cancel()
    return flight is not None


def in_loop(work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
    """For tasks that are no coroutines: run one on the loop of this process and wait for its outcome.

    Raises TimeLimitExceeded after `timeout` seconds, WrongThread when called on that loop, and what `work` raises.
    """
    thread = process.loop_thread()
    if thread.inside:
        work.close()
        raise WrongThread("in_loop() would wait for its own loop: in a coroutine, await it")
    return Flight(thread.loop, work).wait(Limits(timeout))


class Running(Retrying):
    """Mixed into `Task`: how one is run."""

    abstract = True

    run: Callable[..., Any]
    is_coroutine: bool = False
    """Its function is a coroutine function. Celery sees one that returns the outcome."""

    def __init__(self) -> None:
        super().__init__()
        function = self.run
        self.is_coroutine = inspect.iscoroutinefunction(inspect.unwrap(function))
        if self.is_coroutine:
            self.run = self._wrapped(functools.partial(self._on_loop, function), function)
        elif self.backoff is not None:
            self.run = self._wrapped(function, function)

    def _wrapped(self, call: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            return self.retrying(call, args, kwargs)

        return run

    @classmethod
    def on_bound(cls, app: Any) -> None:
        """Celery has just given the class a stack per thread, in which its coroutine would find no request."""
        super().on_bound(app)
        if not isinstance(cls.__dict__.get("request_stack"), ContextStack):
            cls.request_stack = ContextStack(str(cls.name))  # type: ignore[assignment]  # it has the same shape

    def _on_loop(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        request = self.request
        if request.called_directly:
            return function(*args, **kwargs)
        thread = process.loop_thread()
        if thread.inside:
            if request.is_eager:
                raise WrongThread(
                    f"{self.name} cannot be run eagerly in a coroutine task: await {self.name}(...) there"
                )
            return function(*args, **kwargs)
        flight = Flight(thread.loop, function(*args, **kwargs))
        _flights[str(request.id)] = flight
        try:
            return flight.wait(limits_of(self, request.timelimit))
        finally:
            _flights.pop(str(request.id), None)
