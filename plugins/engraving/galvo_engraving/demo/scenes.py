"""What the shop asks its worker for, one scene after the other; what came of it, as numbers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from secrets import token_hex
from time import perf_counter
from typing import Any

from celery import Celery

from galvo_tasks import Priority
from galvo_tasks.jobs import Job, JobCancelled, JobFailed

BULK = 24
URGENT = 3
LARGE_MM = 500.0
LONG_MM = 800.0
AGAIN = 5
"""Times; a cache trusts what it knows from its second second on, and this worker's has just begun."""
CANCEL_AT = 0.25
"""Of the long one."""
PROJECTS = range(1, 9)
PATIENCE = 30.0
"""Seconds for any one job."""


def picture(path: Path) -> None:
    """Something to engrave, never twice the same: what an earlier demo has left in the cache is of no use."""
    from PIL import Image

    size = (1800, 1200)
    image = Image.blend(Image.radial_gradient("L").resize(size), Image.effect_noise(size, 90), 0.3)
    image.save(path, "JPEG", comment=token_hex())  # Pillow's noise is the same in each process


class Scenes:
    """With one worker that runs one job at a time."""

    def __init__(self, app: Celery[Any], path: Path) -> None:
        self._raster: Any = app.tasks["engraving.raster"]
        self._estimate: Any = app.tasks["engraving.estimate"]
        self._path = str(path)
        self._bulk: list[Job] = []
        self.told: dict[str, Any] = {}
        self.all = (self.submit, self.overtake, self.estimate, self.cancel, self.follow)

    async def submit(self) -> None:
        """Bulk work, while no worker is there yet."""
        began = perf_counter()
        self._bulk = [await self._ask(40 + number, Priority.BULK) for number in range(BULK)]
        self.told["submitted"] = {"jobs": BULK, "seconds": perf_counter() - began}

    async def overtake(self) -> None:
        """Urgent ones while those are being worked on."""
        ends: list[Job] = []
        waiting = [asyncio.create_task(_end(job, ends)) for job in self._bulk]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
            began = perf_counter()
            urgent, heard = [], []
            for number in range(URGENT):
                urgent.append(await self._ask(20 + number, Priority.URGENT))
                heard.append(asyncio.create_task(_end(urgent[-1], ends)))
            waiting += heard
            # Those that ended while the urgent ones were being asked for did not keep them waiting.
            states = await asyncio.gather(*(job.state() for job in self._bulk))
            before = [job for job, state in zip(self._bulk, states, strict=True) if state.ended]
            await asyncio.gather(*heard)
            last = max(map(ends.index, urgent))
            meanwhile = [job for job in ends[:last] if job not in [*before, *urgent]]
            self.told["urgent"] = {
                "jobs": URGENT,
                "seconds": perf_counter() - began,
                "bulk_ended_meanwhile": len(meanwhile),
                "bulk_left": BULK - len(before) - len(meanwhile),
            }
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def estimate(self) -> None:
        """From the database, through the worker's own kernel."""
        jobs = [await self._estimate.submit((project,), priority=Priority.URGENT) for project in PROJECTS]
        found = await asyncio.gather(*map(_estimated, jobs))
        self.told["estimates"] = [one for one in found if one]

    async def cancel(self) -> None:
        """One that runs, and those that wait still."""
        job, share = await self._ask(LONG_MM, Priority.URGENT), 0.0
        began = perf_counter()
        async for update in job.progress():
            if not update.state.ended and (update.share or 0.0) >= CANCEL_AT:
                share, began = update.share or 0.0, perf_counter()
                await job.cancel()
                break
        try:
            await job.result(PATIENCE)
            how = "done"
        except JobCancelled:
            how = "cancelled"
        seconds = perf_counter() - began
        waiting = [state for state in [await one.cancel() for one in self._bulk] if state == "cancelled"]
        self.told["cancelled"] = {"state": how, "at": share, "seconds": seconds, "waiting": len(waiting)}

    async def follow(self) -> None:
        """One with progress and result, and the same once more."""
        began, shares = perf_counter(), []
        job = await self._ask(LARGE_MM, Priority.HIGH)
        async for update in job.progress():
            if update.share is not None and update.share not in shares:
                shares.append(update.share)
        result = await job.result(PATIENCE)
        took = perf_counter() - began
        again = [await self._timed() for _ in range(AGAIN)]
        self.told["progress"] = shares
        self.told["result"] = {**result, "seconds": took, "again_seconds": min(again)}

    async def _timed(self) -> float:
        began = perf_counter()
        await (await self._ask(LARGE_MM, Priority.HIGH)).result(PATIENCE)
        return perf_counter() - began

    async def _ask(self, width_mm: float, priority: Priority) -> Job:
        job: Job = await self._raster.submit(kwargs={"path": self._path, "width_mm": width_mm}, priority=priority)
        return job


async def _end(job: Job, ends: list[Job]) -> None:
    try:
        await job.result(PATIENCE)
    finally:
        ends.append(job)


async def _estimated(job: Job) -> Any:
    """None where the project's material is not made for it."""
    try:
        return await job.result(PATIENCE)
    except JobFailed as error:
        if error.kind != "CannotEstimate":
            raise
        return None
