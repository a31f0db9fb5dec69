"""Rasters that this process makes itself, one after the other: where there are no tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from contextvars import Context
from uuid import uuid4

from galvo_engraving.jobs.engrave import PictureGone, made
from galvo_engraving.pictures.checking import refused
from galvo_engraving.pictures.told import BROKEN, Told
from galvo_engraving.problems import Away
from galvo_engraving.shop import Shop
from galvo_memory.images import ImageProblem
from galvo_tasks.jobs import Cancelled
from galvo_tasks.jobs.running import RUNNING, Run

LOG = logging.getLogger("galvo.engraving")
WAITING = 100
"""At most; more are refused."""
REMEMBERED = 500
"""Of those that have ended, the latest."""


class Work:
    """One raster. To be used on the loop that made it."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.told = Told("waiting")
        self.changed = asyncio.Event()
        """Of the next change; another one after it."""
        self.run = Run(id, self._report)
        self.task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    def tell(self, told: Told) -> None:
        if self.told.ended:
            return
        self.told = told
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def _report(self, run: Run) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._take, run)

    def _take(self, run: Run) -> None:
        run.told = True
        done, total, _ = run.latest or (0, 0, "")
        self.tell(Told("running", round(done), round(total)))


class Here:
    """All of one application, in one process."""

    def __init__(self) -> None:
        self._works: dict[str, Work] = {}
        self.turn = asyncio.Semaphore(1)
        """Whose it is, works."""

    def knows(self, id: str) -> bool:
        return id in self._works

    async def look(self, id: str) -> Told | None:
        return self._works[id].told if id in self._works else None

    def named(self) -> tuple[str, str]:
        """A new raster's id, and what `begin` wants with it."""
        return str(uuid4()), ""

    async def begin(self, shop: Shop, id: str, key: str, further: bool) -> None:
        """In the order in which they are asked for. Raises Away."""
        ended = [work.id for work in self._works.values() if work.told.ended]
        if len(self._works) - len(ended) >= WAITING:
            raise Away(f"{WAITING} pictures wait already: ask again in a minute")
        for old in ended[: max(0, len(ended) - REMEMBERED)]:
            del self._works[old]
        work = self._works[id] = Work(id)
        # A context of its own: it goes on when the request has ended.
        work.task = asyncio.create_task(self._make(shop, work), context=Context())
        work.task.add_done_callback(lambda _: work.tell(Told("cancelled")))  # if it never began

    async def changes(self, id: str) -> AsyncGenerator[Told, None]:
        """What is known now, then each change of it, until it has ended."""
        work = self._works.get(id)
        while work is not None:
            told, changed = work.told, work.changed
            yield told
            if told.ended:
                return
            if work.told is told:
                await changed.wait()

    async def cancel(self, id: str) -> None:
        """Returns when it has ended."""
        work = self._works.get(id)
        if work is None or work.task is None or work.told.ended:
            return
        work.run.cancelled = True
        work.task.cancel()
        await asyncio.wait([work.task])

    async def close(self) -> None:
        """Cancel all."""
        await asyncio.gather(*(self.cancel(id) for id in [*self._works]))

    async def _make(self, shop: Shop, work: Work) -> None:
        try:
            async with self.turn:
                work.tell(Told("running"))
                RUNNING.set(work.run)
                await made(shop.db, work.id, shop.settings, isolated=True)
            work.tell(Told("done"))
        except (asyncio.CancelledError, Cancelled):
            work.tell(Told("cancelled"))
        except ImageProblem as error:
            work.tell(Told("failed", problem=refused(error).sentence))
        except PictureGone as error:
            work.tell(Told("failed", problem=str(error)))
        except Exception:
            LOG.exception("raster %s could not be made", work.id)
            work.tell(Told("failed", problem=BROKEN))
