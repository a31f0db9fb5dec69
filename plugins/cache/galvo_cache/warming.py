"""After a start or a flush the reads that had saved most are run again, before somebody has to wait for them.

They take the ordinary way: what may not be kept now is not kept, and who asks meanwhile joins. Statements come from
this process, or from a file of its user's; only what the analysis calls a cacheable read is run.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import anyio

from galvo import Context, GalvoError, Query
from galvo_cache import warm_file
from galvo_cache.effects import Read
from galvo_cache.favourites import Favourite, Favourites
from galvo_cache.keys import key_of
from galvo_cache.plans import Plan
from galvo_cache.reading import OWN
from galvo_cache.settings import CacheSettings

SETTLE = 0.5
"""Seconds from a flush to the reads: what comes with it is one."""
GAP = 3.0
"""Seconds from one round to the next at least."""
LOOK = 0.25
"""Seconds between looks for a database."""
PROBE = "select 'galvo is about to warm its cache'"
SAVE = 60.0
"""Seconds between looks at what saves most."""
TIMEOUT = 30.0
"""Seconds one of them may take."""
READ = "a read"
"""Instead of a name: one of the list."""
Warm = Callable[[], Awaitable[Any]]


class Again(Query, frozen=True, gc=False):
    """A read that nobody asked for: run it as a cacheable read, or not at all."""


class Warming:
    """Runs reads in the background, a few at a time."""

    def __init__(
        self,
        settings: CacheSettings,
        context: Context,
        favourites: Favourites,
        plan_of: Callable[[str], Awaitable[Plan]],
        may_keep: Callable[[], bool],
    ) -> None:
        """`may_keep`: whether an answer that is read now can be kept at all."""
        self._settings = settings
        self._context = context
        self._favourites = favourites
        self._plan_of = plan_of
        self._may_keep = may_keep
        self._path = Path(settings.warm_file) if settings.warm and settings.warm_file else None
        self._added: dict[str, Warm] = {}
        self._due: set[str] = set()
        """Names of `_added`."""
        self._list_due = False
        self._woken = anyio.Event()
        self.warmed = 0
        self.failed = 0
        self.rounds = 0

    def flushed(self) -> None:
        """All answers were dropped."""
        self._list_due = True
        self._due.update(self._added)
        self._woken.set()

    def add(self, name: str, warm: Warm) -> Callable[[], None]:
        """Call `warm` soon, and after each flush; gives what takes it back."""
        added = self._added
        added[name] = warm
        self._due.add(name)
        self._woken.set()

        def take_back() -> None:
            if added.get(name) is warm:
                del added[name]

        return take_back

    def look(self) -> None:
        """The answers are about to go."""
        self._favourites.look()

    def inherit(self, older: Warming) -> None:
        """Go on where the instance that this one replaces is now."""
        older.look()
        self._favourites.add(older._favourites.top())
        self._added = older._added  # the same: whoever takes his back does not know of this instance
        self._due.update(self._added)
        self._woken.set()

    # -- the file -------------------------------------------------------------------------------------

    def load(self) -> None:
        """Begin with what the file says, if there is one."""
        self._list_due = True
        self._woken.set()
        if self._path is None:
            return
        try:
            self._favourites.add(warm_file.load(self._path))
        except warm_file.Ignored as why:
            self._context.log.warning("warm_file %s under [cache] is ignored: %s", self._path, why)
            if isinstance(why, warm_file.Foreign):
                self._path = None

    def save(self) -> None:
        """Write the file, unless there is nothing to say."""
        found = self._favourites.top()
        if self._path is None or not found:
            return
        try:
            warm_file.save(self._path, found)
        except OSError as error:
            self._context.log.warning("warm_file %s under [cache] cannot be written: %s", self._path, error.strerror)
            self._path = None

    async def remember(self) -> None:
        """Follow what saves most, until cancelled."""
        while True:
            await anyio.sleep(SAVE)
            await self._favourites.look_slowly()
            self.save()

    # -- the reads ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """A round after the start, and one after each flush, until cancelled."""
        while True:
            await self._woken.wait()
            await anyio.sleep(SETTLE)
            self._woken = anyio.Event()
            jobs = await self._jobs()
            if jobs:
                while not (self._may_keep() and await self._answers()):  # noqa: ASYNC110  # nothing tells
                    await anyio.sleep(LOOK)
                async with anyio.create_task_group() as tasks:
                    for _ in range(self._settings.warm_concurrency):
                        tasks.start_soon(self._work, jobs)
                self.rounds += 1
            await anyio.sleep(GAP)

    async def _jobs(self) -> Iterator[tuple[str, Warm]] | None:
        """What is due, one after the other; None: nothing."""
        jobs = [(name, self._added[name]) for name in sorted(self._due & self._added.keys())]
        self._due.clear()
        if self._list_due:
            self._list_due = False
            await self._favourites.look_slowly()
            jobs += [(READ, partial(self._read, favourite)) for favourite in self._favourites.top()]
        return iter(jobs) if jobs else None

    async def _answers(self) -> bool:
        """Whether queries reach a database. A pool that can be found may still be starting."""
        try:
            await self._context.fetchval(PROBE, timeout=TIMEOUT)
        except Exception:  # noqa: BLE001  # whatever it is, there will be another time
            return False
        return True

    async def _work(self, jobs: Iterator[tuple[str, Warm]]) -> None:
        for name, job in jobs:
            try:
                with anyio.fail_after(TIMEOUT):
                    await job()
            except Exception as error:  # noqa: BLE001  # whatever it is, the application goes on
                self.failed += 1
                gone = name == READ and isinstance(error, GalvoError)  # the database, or this plugin
                level = logging.DEBUG if gone else logging.WARNING
                # Not its text, in which there may be values.
                self._context.log.log(level, "warming %s failed: %s", name, type(error).__name__)

    async def _read(self, favourite: Favourite) -> None:
        plan = await self._plan_of(favourite.sql)
        if not isinstance(plan.effect, Read) or not self._may_keep():
            return
        entry = plan.home(favourite.limit).get(key_of(favourite.args))
        if entry is None or entry.generation != plan.generation or entry.ends < monotonic():
            await self._context.run(Again(favourite.sql, favourite.args, "rows", favourite.limit, TIMEOUT, None, OWN))
            self.warmed += 1

    def stats(self) -> dict[str, float]:
        return {"warmed": self.warmed, "warm_failed": self.failed, "warm_rounds": self.rounds}
