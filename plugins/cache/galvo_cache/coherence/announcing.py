"""The writer's side: a write is made known before it is sent, and taken back after it has ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic

import anyio
from anyio.abc import TaskGroup

from galvo_cache.coherence.lease import Lease
from galvo_cache.coherence.marks import Mark, Marks, Unannounced, everybody
from galvo_cache.coherence.outbox import Releases
from galvo_cache.coherence.scripts import ANNOUNCE
from galvo_cache.coherence.server import Away, Server
from galvo_cache.coherence.stamps import fields_renewed
from galvo_cache.coherence.wire import announcement
from galvo_cache.touch import Touch

RETRY = 0.05
AT_ONCE = 16
"""Announcements on their way to Redis at a time: each takes a connection of the client's pool."""


class Announcing:
    """Announces, settles and releases the writes of this process, and remembers what it could not announce."""

    def __init__(self, server: Server, marks: Marks, lease: Lease, unknown_outcome: float) -> None:
        self._server, self._marks, self._lease, self._unknown_outcome = server, marks, lease, unknown_outcome
        self._slots = anyio.Semaphore(AT_ONCE, fast_acquire=True)
        self.releases = Releases(server)
        self.tasks: TaskGroup | None = None
        self.need_not_be_asked: Callable[[bytes], bool] = lambda member: False
        self.owed: Touch | None = {}
        self.paying = False
        self.members = 0
        self.announced = self.resettled = self.unannounced = self.lapsed_waits = 0
        self.waited = 0.0

    async def announce(self, touch: Touch | None) -> Mark:
        """See Coherence.announce."""
        mark = self._marks.new(touch, self._lease.run if self._lease.valid else -1)
        start = monotonic()
        try:
            await self._make_known(mark)
        except BaseException:
            self._release(mark)  # it may have been said all the same
            raise
        finally:
            self.waited += monotonic() - start
        self.announced += 1
        return mark

    async def settle(self, mark: Mark) -> bool:
        """See Coherence.settle."""
        known = self._sound(mark)
        try:
            if not known:
                self.resettled += 1
                self._release(await self.announce(mark.touch))
                known = True
        except Unannounced:
            pass  # it is owed now
        finally:
            self._release(mark)
        return known

    def release(self, mark: Mark, *, open: bool) -> None:
        """See Coherence.release."""
        if open and self._unknown_outcome:
            self.releases.hold(mark.ids)
            if self.tasks is not None:
                self.tasks.start_soon(self._release_later, mark)
            else:
                self._marks.forget(mark)  # others take it back when it is time
            return
        if not self._sound(mark):
            self._owe(mark.touch)
        self._release(mark)

    async def finish(self) -> None:
        """See Coherence.finish."""
        self.owed = {}  # its successor's
        try:
            async with anyio.create_task_group() as self.tasks:
                while True:
                    self.releases.hold([*self._marks.live])  # or others take back what still runs
                    with suppress(Away):
                        await self.releases.flush()
                        if not self._marks.live:
                            return
                    await anyio.sleep(RETRY)
        finally:
            self.tasks = None
            with anyio.CancelScope(shield=True), suppress(Away):
                await self.releases.flush()

    async def say_again(self) -> None:
        """Of writes under way that were announced before a doubt, whoever joined since must know. Raises Away."""
        for mark in {id(mark): mark for mark in self._marks.live.values()}.values():
            if mark.ids[0] not in self._marks.live:
                continue  # it has ended while the others were said, and nobody would take it back once more
            said, data = announcement(self._marks.again(mark), mark.touch)
            await self._server.run(ANNOUNCE, said.id, data, *fields_renewed(said.touch))

    async def pay(self) -> None:
        """Announce what could not be announced when it was written. Raises Unannounced."""
        while self.owed != {}:
            owed, self.owed, self.paying = self.owed, {}, True
            try:
                self._release(await self.announce(owed))
            except BaseException:
                self._owe(owed)
                raise
            finally:
                self.paying = False

    def owe_everything(self) -> None:
        """See Coherence.owe_everything."""
        self._owe(None)
        self._lease.end()

    async def _make_known(self, mark: Mark) -> None:
        said, data = announcement(mark.ids[0], mark.touch)
        fields = fields_renewed(said.touch)
        answer = None
        while answer is None:
            try:
                async with self._slots:
                    self._give_up_when_away(mark)
                    mark.tried = True
                    answer = await self._server.run(ANNOUNCE, said.id, data, *fields)
            except Away as away:
                self._give_up_when_away(mark, str(away))
                await anyio.sleep(RETRY)
        now, (grace, members) = monotonic(), answer
        live = {members[i]: now + members[i + 1] / 1000 for i in range(0, len(members), 2)}
        self.members = len(live)
        if not await everybody(mark, live, self.need_not_be_asked):
            self.lapsed_waits += 1
        # Of a young epoch, and after the clock was set, the list of members proves nothing.
        proven = max(now + grace / 1000, self._server.stepped + self._server.term)
        if (left := proven - monotonic()) > 0:
            await anyio.sleep(left)

    def _give_up_when_away(self, mark: Mark, reason: str = "Redis is away") -> None:
        """After so long, whoever else has lost Redis has no lease."""
        since = self._server.away_since
        if since is not None and monotonic() >= since + self._server.term:
            self.unannounced += 1
            self._owe(mark.touch)
            self._lease.end()
            mark.run = -1
            raise Unannounced(reason, mark)

    def _sound(self, mark: Mark) -> bool:
        return mark.run == self._lease.run and self._lease.valid

    def _release(self, mark: Mark) -> None:
        self._marks.forget(mark)
        if mark.tried:
            self.releases.end(mark.ids)

    async def _release_later(self, mark: Mark) -> None:
        try:
            await anyio.sleep(self._unknown_outcome)
        finally:
            self._marks.forget(mark)  # cancelled: others take it back
        self.release(mark, open=False)

    def _owe(self, touch: Touch | None) -> None:
        """Tell it later. Rows are forgotten: of what could not be said in time, whole tables are said."""
        if touch is None or self.owed is None:
            self.owed = None
        else:
            self.owed |= dict.fromkeys(touch)
