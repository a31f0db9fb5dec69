"""The requests of a task that run, by context rather than by thread: a coroutine has those of whoever began it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any


class ContextStack:
    """Has the shape of `celery.utils.threads.LocalStack`."""

    def __init__(self, name: str) -> None:
        self._items: ContextVar[tuple[Any, ...]] = ContextVar(f"requests of {name}", default=())

    def push(self, item: Any) -> None:
        self._items.set((*self._items.get(), item))

    def pop(self) -> Any:
        items = self._items.get()
        self._items.set(items[:-1])
        return items[-1] if items else None

    def __len__(self) -> int:
        return len(self._items.get())

    @property
    def stack(self) -> list[Any]:
        return [*self._items.get()]

    @property
    def top(self) -> Any:
        items = self._items.get()
        return items[-1] if items else None
