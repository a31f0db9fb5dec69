"""The small kernel of a worker's main process: memory, monitor and embedded as configured, and what scaling adds.

It runs in a thread of its own, since Celery's loop is not asyncio's.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from galvo import Kernel, Metric, Plugin, PluginSettings
from galvo.operating import Blueprint, Plan, plan
from galvo_tasks.running.loop import LoopThread
from galvo_tasks.scaling.forks import Standstill

KEPT = ("memory", "monitor", "embedded")
"""Of the configured plugins: no query ever comes here."""
WAITING = 100_000
"""Values, at most, that wait for the kernel."""
PAUSE = 0.5
"""Seconds between two looks at what waits."""
AGAIN = 10.0
"""Seconds until a kernel that did not start is tried again."""
END = 10.0
"""Seconds that its end may take."""
T = TypeVar("T")
log = logging.getLogger("galvo.tasks")


class Governor:
    def __init__(self, root: Path, extra: type[Plugin] | None = None, **given: Any) -> None:
        """`extra` runs in the kernel, too; `given` are capabilities for it."""
        self._root = root
        self._extra = extra
        self._given = given
        self._values: deque[tuple[Metric, float]] = deque(maxlen=WAITING)
        self._thread: LoopThread | None = None
        self._runs = asyncio.Event()
        self._end = asyncio.Event()
        self.kernel: Kernel | None = None
        """While it runs."""
        self.standstill = self._given["standstill"] = Standstill(self._in_child)

    def start(self) -> None:
        """Begin in the background, unless it has begun."""
        if self._thread is not None:
            return
        self._thread = LoopThread("galvo governor")
        self._thread.start()
        self._running = self._thread.submit(self._run())

    def stop(self) -> None:
        """Close the kernel: what was recorded has been told then."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.submit(self._stop())
        try:
            self._running.result(END)
        except TimeoutError:
            log.warning("the governor's kernel has not stopped within %g s", END)
        thread.stop()

    def ask(self, work: Callable[[Kernel], Coroutine[Any, Any, T]], seconds: float) -> T:
        """What `work` gives, in the kernel's thread, once it runs. Raises TimeoutError, and what it raises."""
        if self._thread is None:
            raise RuntimeError("the governor does not run")
        return self._thread.call(self._ask(work), seconds)

    async def _ask(self, work: Callable[[Kernel], Coroutine[Any, Any, T]]) -> T:
        return await work(await self._kernel())

    async def _kernel(self) -> Kernel:
        await self._runs.wait()
        return self.kernel or await self._kernel()

    def record(self, metric: Metric, value: float = 1) -> None:
        """From any thread; told within PAUSE. In a child process, after the fork: nowhere."""
        if self._thread is not None:
            self._values.append((metric, value))

    async def _run(self) -> None:
        async with self.standstill:
            while not self._end.is_set():
                try:
                    await self._govern()
                except Exception as error:  # noqa: BLE001  # whatever it is, tasks run on
                    log.error("the governor failed, and is tried again in %g s: %s", AGAIN, error)
                    await _within(self._end, AGAIN)

    async def _govern(self) -> None:
        kernel = Kernel(self._plan())
        kernel.given.update(self._given)
        async with kernel:
            self.kernel = kernel
            self._runs.set()
            try:
                while not self._end.is_set():
                    await _within(self._end, PAUSE)
                    self._tell(kernel)
            finally:
                self.kernel = None
                self._runs.clear()

    def _tell(self, kernel: Kernel) -> None:
        while self._values:
            kernel.record(*self._values.popleft())

    def _plan(self) -> Plan:
        """Raises SettingsError and PluginError."""
        found = plan(self._root, warn=False)
        kept = [one for one in found.blueprints if one.name in KEPT]
        if self._extra is not None:
            kept.append(Blueprint(self._extra.name, self._extra, PluginSettings.model_validate({})))
        return msgspec.structs.replace(found, blueprints=tuple(kept))

    async def _stop(self) -> None:
        self._end.set()

    def _in_child(self) -> None:
        self._thread = self.kernel = None
        self._values.clear()


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
