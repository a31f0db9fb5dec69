"""Calls that may block for ever, as on a disk that hangs: nobody waits long for them, nor does the process's end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


class Late(Exception):
    """The call is not over in time, or the one before it still is not."""


class Apart:
    """One call at a time, in a thread of its own: AnyIO's workers are joined when the process ends."""

    def __init__(self, name: str, *, deadline: float) -> None:
        """`name`: the thread's; `deadline`: seconds that a call is waited for at most."""
        self._name = name
        self._deadline = deadline
        self._last: Future[Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether the last call still hangs."""
        return self._last is not None and not self._last.done()

    async def call(self, call: Callable[[], T]) -> T:
        """Raises Late, and what `call` raises. One that is late goes on, and no other begins until it is over."""
        if self.busy:
            raise Late
        called: Future[T] = Future()
        self._last = called
        Thread(target=_run, args=(call, called), name=self._name, daemon=True).start()
        with anyio.move_on_after(self._deadline):
            return await asyncio.wrap_future(called)
        raise Late

    async def ended(self) -> None:
        """Waits until the last call is over, but no longer than for the deadline, even when cancelled."""
        if self._last is not None:
            with anyio.move_on_after(self._deadline, shield=True), suppress(Exception):
                await asyncio.wrap_future(self._last)


def _run(call: Callable[[], T], called: Future[T]) -> None:
    if not called.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  # raised where somebody waits for it
        called.set_exception(error)
    else:
        called.set_result(result)
