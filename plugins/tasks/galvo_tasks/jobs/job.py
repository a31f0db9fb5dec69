"""A job as who asked for it sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from math import isfinite
from typing import Any

from celery import Celery, current_app

from galvo_tasks.jobs import layout
from galvo_tasks.jobs.encoding import decoded
from galvo_tasks.jobs.errors import JobCancelled, JobFailed, JobTimeout, JobUnknown, ResultsAway, Unreadable
from galvo_tasks.jobs.results import Results, results_of
from galvo_tasks.jobs.state import Progress, State

LOOK = 5.0
"""Seconds after which one looks without having been told."""


class Job:
    """By its id: in the process that asked for it, or in any other with the same application.

    Each method raises JobUnknown, ResultsAway, and Unreadable for what galvo did not write.
    """

    __slots__ = ("_app", "id")

    def __init__(self, id: str, app: Celery[Any] | None = None) -> None:
        """Raises JobProblem for what cannot be an id."""
        self._app: Celery[Any] = app or current_app._get_current_object()  # type: ignore[attr-defined]
        self.id = id
        layout.key("", id)

    async def state(self) -> State:
        return (await self._look()).state

    async def result(self, timeout: float | None = None) -> Any:
        """What its task gave. Waits `timeout` seconds at most.

        Raises JobFailed, JobCancelled, JobTimeout.
        """
        try:
            async with asyncio.timeout(timeout):
                async with aclosing(self.progress()) as updates:
                    async for seen in updates:
                        if seen.state.ended:
                            return await self._outcome(seen.state)
        except TimeoutError:
            raise JobTimeout(f"job {self.id} has not ended within {timeout:g} s: it goes on") from None
        raise JobUnknown(self.id)

    async def progress(self) -> AsyncGenerator[Progress, None]:
        """What is known now, then each change of it; ends when the job has."""
        results, last = await self._results(), None
        async with results.changes(self.id) as changed:
            while True:
                changed.clear()
                seen = await self._surely(results)
                if seen != last:
                    yield seen
                    last = seen
                if seen.state.ended:
                    return
                await _wait(changed, LOOK)

    async def cancel(self) -> State:
        """Ask for its end. Gives the state that it has now.

        CANCELLED: it has not begun, and will not. RUNNING: it is told. DONE, FAILED: it was too late.
        """
        results = await self._results()
        return self._state(await results.cancel(self.id))

    def __repr__(self) -> str:
        return f"Job({self.id!r})"

    async def _results(self) -> Results:
        return await results_of(self._app)

    async def _surely(self, results: Results) -> Progress:
        """Looks until Redis answers, or has not for as long as the deadline."""
        end = asyncio.get_running_loop().time() + results.deadline
        while True:
            try:
                return await self._look()
            except ResultsAway:
                if asyncio.get_running_loop().time() > end:
                    raise
            await asyncio.sleep(0.1)

    async def _look(self) -> Progress:
        results = await self._results()
        state, *numbers, text = await results.read(self.id, layout.FIELD, "state", "done", "total", "text")
        done, total = (self._number(number) for number in numbers)
        return Progress(self._state(state), done, total, (text or b"").decode(errors="replace"))

    async def _outcome(self, state: State) -> Any:
        results = await self._results()
        if state is State.CANCELLED:
            raise JobCancelled(self.id)
        if state is State.FAILED:
            found = await results.read(self.id, layout.FIELD, "kind", "error")
            kind, text = ((value or b"").decode(errors="replace") for value in found)
            raise JobFailed(self.id, kind, text)
        (found_result,) = await results.read(self.id, results.limit, "result")
        if found_result is None:
            raise JobUnknown(self.id)  # forgotten since it was seen
        return decoded(self.id, found_result)

    def _state(self, found: bytes | None) -> State:
        if found is None:
            raise JobUnknown(self.id)
        try:
            return State(found.decode())
        except ValueError:
            raise Unreadable(self.id, "its state") from None

    def _number(self, found: bytes | None) -> float:
        try:
            value = float(found or b"0")
        except ValueError:
            value = -1.0
        if not isfinite(value) or value < 0:
            raise Unreadable(self.id, "its progress")
        return value


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        pass
