"""Queries that run while something is done to the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from galvo.testing.stage import Running


class Clients:
    """`async with Clients(run, "while ...")`: some that ask all the time; the first failure comes out at the end."""

    def __init__(self, run: Running, when: str, count: int = 3) -> None:
        self._run = run
        self._when = when
        self._count = count
        self._done = False
        self.failed: AssertionError | None = None
        self.answers = 0

    async def __aenter__(self) -> Clients:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        for _ in range(self._count):
            self._tasks.start_soon(self._ask)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._done = True
        await self._tasks.__aexit__(None, None, None)
        if self.failed is not None:
            raise self.failed

    async def answered(self, count: int) -> None:
        """Wait for so many answers more, or for a failure."""
        wanted = self.answers + count
        while self.answers < wanted and self.failed is None:  # it is looked at in every turn
            await anyio.lowlevel.checkpoint()

    async def _ask(self) -> None:
        while not self._done and self.failed is None:
            try:
                await self._run.ask(self._when)
            except AssertionError as error:  # not out of a task group, which would wrap it
                self.failed = error
            self.answers += 1
            await anyio.lowlevel.checkpoint()  # without a database queries are refused at once
