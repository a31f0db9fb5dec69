"""Two functions with the name of one task: Celery keeps the first and says nothing, or little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from celery import Celery

PLACE = "galvo_doubles"


class Double(msgspec.Struct, frozen=True):
    name: str
    first: str
    """The function that is run, as "file:line"."""
    second: str


def watch(app: Celery[Any]) -> None:
    """Note doubles from now on; twice is fine."""
    if hasattr(app, PLACE):
        return
    found: list[Double] = []
    setattr(app, PLACE, found)
    make: Callable[..., Any] = app._task_from_fun  # a test watches its shape

    def noting(fun: Callable[..., Any], name: str | None = None, **options: Any) -> Any:
        task = make(fun, name=name, **options)
        first, second = _place(getattr(task, "__wrapped__", None)), _place(fun)
        if first and second and first != second:
            found.append(Double(str(task.name), first, second))
        return task

    vars(app)["_task_from_fun"] = noting


def doubles_of(app: Celery[Any]) -> list[Double]:
    """Those found so far."""
    return list(getattr(app, PLACE, ()))


def _place(function: Any) -> str:
    code = getattr(function, "__code__", None) or getattr(getattr(function, "__func__", None), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else ""
