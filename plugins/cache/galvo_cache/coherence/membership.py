"""The reader's side: joining, the pulse that extends the lease, and what happens in doubt."""

from __future__ import annotations

import logging
from itertools import count
from time import monotonic

import anyio

from galvo_cache.coherence.announcing import Announcing
from galvo_cache.coherence.following import Doubt, Follower, Following
from galvo_cache.coherence.lease import Lease
from galvo_cache.coherence.marks import Marks, Unannounced
from galvo_cache.coherence.outbox import Acks
from galvo_cache.coherence.scripts import LEAVE, PULSE, STAMPS
from galvo_cache.coherence.server import DRIFT, Away, Server
from galvo_cache.coherence.stamps import Stamps
from galvo_cache.coherence.stream import Stream, StreamLost
from galvo_cache.coherence.wire import Pulse, encode, head_of_stamped

PAUSE = 0.05


class Membership:
    """Makes this process one whose acknowledgement writers wait for, so that it may serve from memory."""

    def __init__(
        self,
        server: Server,
        marks: Marks,
        lease: Lease,
        announcing: Announcing,
        stamps: Stamps,
        follower: Follower,
        *,
        seconds: float,
        timeout: float,
        unknown_outcome: float,
        log: logging.Logger,
    ) -> None:
        self._server, self._marks, self._lease, self._announcing = server, marks, lease, announcing
        self._stamps, self._follower, self._log = stamps, follower, log
        self._seconds, self._timeout, self._unknown_outcome = seconds, timeout, unknown_outcome
        self._acks = Acks(server)
        self.following = Following(follower, marks, self._acks, stamps)
        self.following.pulsed = self._pulsed
        announcing.need_not_be_asked = self._serves_nothing
        self._nonces = count(1)
        self._pulse = (0, 0.0, anyio.Event())
        self._ready = False
        self._former = marks.member
        self._believed = seconds
        self.doubts = 0

    async def run(self) -> None:
        """See Coherence.run."""
        try:
            async with anyio.create_task_group() as tasks:
                self._announcing.tasks = tasks
                tasks.start_soon(self._announcing.releases.send)
                await self._join_again_and_again()
        finally:
            self._announcing.tasks = None
            self._distrust()
            with anyio.CancelScope(shield=True):
                await self._leave()

    async def _join_again_and_again(self) -> None:
        pause = PAUSE
        while True:
            run = self._lease.run
            try:
                await self._member()
            except* (Doubt, StreamLost, Away, Unannounced) as doubts:
                reasons = ", ".join(sorted({str(error) for error in _leaves(doubts)}))
                level = logging.DEBUG if pause > PAUSE and run == self._lease.run else logging.WARNING
                if not (self._lease.run or self.doubts):  # on a busy machine the first join may take too long
                    level = logging.INFO
                self._log.log(level, "coherence with other processes is in doubt, joining again: %s", reasons)
            except* Exception as errors:  # noqa: BLE001  # a fault here must not end the coherence
                self._log.error("coherence with other processes failed, joining again", exc_info=errors)
            self._distrust()
            self.doubts += 1
            # Others trust what is shared one lease after they are back: by then we must have paid.
            pause = PAUSE if run != self._lease.run or self.doubts == 1 else min(pause * 2, self._seconds / 2, 2.0)
            await anyio.sleep(pause)

    async def _member(self) -> None:
        """One membership, from the join to the first doubt, which it raises."""
        self._former = self._marks.member
        self._marks.rename()
        self._acks.clear()
        member = self._marks.member
        channels = [self._server.everybody, self._server.channel_of(member)]
        stream = await Stream.open(self._server.client, self._server.keys[0], channels, max(self._timeout, 0.5))
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._hear, stream)
                tasks.start_soon(self._acks.send, member)
                await self._beat(self._former)
                tasks.start_soon(self._ask_for_stamps, member)
                await self._announcing.say_again()
                await self._announcing.pay()
                self._ready = True
                while True:
                    await self._beat(None)
                    await self._announcing.pay()
                    await anyio.sleep(max(0.0, self._pulse[1] + self._seconds / 4 - monotonic()))
        finally:
            await stream.close()

    async def _hear(self, stream: Stream) -> None:
        try:
            while True:
                channel, data = await stream.read()
                self.following.heard(channel == self._server.everybody, data)
        except BaseException:
            self._distrust()  # at once: the others of this membership end later
            raise

    async def _beat(self, former: bytes | None) -> None:
        """Send a pulse, with the `former` id to join, and wait until it comes back. Raises Away, Doubt."""
        patience = monotonic() + (2 * self._seconds if former is None else 0)
        ms, unknown = int(self._seconds * DRIFT * 1000), int(self._unknown_outcome * 1000)
        answer = None
        while answer is None:
            self._pulse = (next(self._nonces), monotonic(), anyio.Event())
            args = (self._marks.member, ms, unknown, encode(Pulse(self._pulse[0])), former or "-")
            try:
                answer = await self._server.run(PULSE, *args)
            except Away:
                if monotonic() > patience:
                    raise
                await anyio.sleep(PAUSE)
        term, self._announcing.members, mine = answer
        self._believed = min(self._seconds, term / 1000 / DRIFT)
        with anyio.move_on_after(max(self._timeout, self._seconds)):
            await self._pulse[2].wait()
        if not self._pulse[2].is_set():
            raise Doubt("a pulse did not come back")
        # What is pending in our name without our knowing was said late, after its release.
        releases = self._announcing.releases
        releases.end([mark for mark in mine if mark not in self._marks.live and mark not in releases])

    def _pulsed(self, nonce: int, grace: int) -> None:
        """A pulse has come back: all that was announced before it has been heard."""
        expected, sent, back = self._pulse
        if nonce != expected:
            return
        back.set()
        if self._ready and not grace and self._announcing.owed == {}:
            if not self._lease.valid:
                self._follower.clear()  # nobody had to tell us, or could, what was written without a lease of ours
            self._lease.extend(sent + self._believed)

    async def _ask_for_stamps(self, member: bytes) -> None:
        while True:
            await self._stamps.wanted.wait()
            asked = self._stamps.ask()
            if asked is not None:
                request, fields = asked
                try:
                    await self._server.run(STAMPS, member, head_of_stamped(request), self._marks.next_id(), *fields)
                except Away:
                    self._stamps.unanswered(request)

    def _serves_nothing(self, member: bytes) -> bool:
        """Whether `member` is this process and holds no lease; else its own announcement must come back to it."""
        return member == self._former or (member == self._marks.member and self.following.epoch is None)

    def _distrust(self) -> None:
        self._ready = False
        self._lease.end()
        self.following.forget()
        self._marks.gone(self._marks.member)

    async def _leave(self) -> None:
        try:
            await self._announcing.releases.flush()
            await self._server.run(LEAVE, self._marks.member, *self._marks.live)
        except Away:
            self._log.info("left without a word: Redis is away")


def _leaves(group: BaseException) -> list[BaseException]:
    if isinstance(group, BaseExceptionGroup):
        return [leaf for part in group.exceptions for leaf in _leaves(part)]
    return [group]
