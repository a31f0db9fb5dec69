"""The kernel of a worker process: what tasks ask the database, the cache and the others through."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from galvo import Kernel, Leasing, Overrides, Query, Rows
from galvo.operating import plan
from galvo_tasks.running.errors import KernelFailed, WrongThread

log = logging.getLogger("galvo.tasks")
STOP = 5.0
"""Seconds that its stop may take when the process ends."""


class WorkerKernel(Leasing):
    """Stands for a kernel that may be starting still: whoever asks it something waits until it has started.

    To be asked on the loop that it was made for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, without: Sequence[str], root: Path = Path()) -> None:
        super().__init__(self._started_run)
        self._loop = loop
        self._without = without
        self._root = root
        self._end = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._started: asyncio.Future[Kernel] | None = None

    async def ready(self) -> Kernel:
        """The kernel itself. Raises KernelFailed, WrongThread."""
        if asyncio.get_running_loop() is not self._loop:
            raise WrongThread("worker_kernel() is to be asked on its process's loop: use in_loop(...)")
        return await asyncio.shield(self.begin())

    def begin(self) -> asyncio.Future[Kernel]:
        """Start it, unless it starts or runs already; one that failed is tried again."""
        started = self._started
        if started is None or (started.done() and started.exception() is not None):
            started = self._started = self._loop.create_future()
            started.add_done_callback(_told)
            self._life = self._loop.create_task(self._live(started))
        return started

    async def stop(self) -> None:
        self._end.set()
        if self._life is not None:
            await asyncio.wait([self._life], timeout=STOP)

    async def _started_run(self, query: Query) -> Rows:
        return await (await self.ready()).run(query)

    async def _live(self, started: asyncio.Future[Kernel]) -> None:
        try:
            laid = overrides(self._root, self._without)
            async with Kernel(plan(self._root, laid, warn=False), self._root, laid) as kernel:
                started.set_result(kernel)
                await self._end.wait()
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(KernelFailed(f"the kernel of this worker process did not start: {error}"))
            if not isinstance(error, Exception):
                raise


def overrides(root: Path, without: Sequence[str]) -> Overrides:
    """What such a kernel has otherwise than the application's: `without` is off, and no pool is no kernel."""
    made = plan(root, warn=False)
    found = {blueprint.name: blueprint.settings for blueprint in made.blueprints}
    off: dict[str, dict[str, object]] = {name: {"on": False} for name in (*without, "tasks") if name in found}
    if "pool" in found and "pool" not in off and found["pool"].on:
        off["pool"] = {"required": True}
    return off


def _told(started: asyncio.Future[Kernel]) -> None:
    if not started.cancelled() and (error := started.exception()) is not None:
        log.error("%s", error)
