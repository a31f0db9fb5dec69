"""Coherence between processes: after a write was acknowledged to its caller, no process serves an older answer.

A writer makes its write known before it is sent, and waits until every process that may serve from memory has
acknowledged or has lost its lease. A lease is extended only by a pulse that has come back through the same ordered
stream as the announcements. Any doubt ends the lease, drops all answers and joins again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from redis.asyncio import Redis, RedisCluster

from galvo_cache.coherence.announcing import Announcing
from galvo_cache.coherence.following import Follower
from galvo_cache.coherence.lease import Lease
from galvo_cache.coherence.marks import Mark, Marks
from galvo_cache.coherence.membership import Membership
from galvo_cache.coherence.server import Server
from galvo_cache.coherence.stamps import Stamps
from galvo_cache.touch import Touch


class Coherence:
    """This process's membership among those that share `namespace`.

    `lease` and `unknown_outcome` are seconds and the same in all processes; `timeout` is for one round trip.
    `on_lease` is told the monotonic time until which answers may be served; 0.0 is: not any more.
    """

    def __init__(
        self,
        client: Redis | RedisCluster,
        namespace: str,
        follower: Follower,
        *,
        lease: float = 1.0,
        timeout: float = 0.25,
        unknown_outcome: float = 5.0,
        on_lease: Callable[[float], None] = lambda until: None,
        log: logging.Logger | None = None,
    ) -> None:
        self._server = Server(client, namespace, lease, timeout)
        self._lease = Lease(on_lease)
        self._stamps = Stamps(self._may_share, timeout)
        marks = Marks()
        self._announcing = Announcing(self._server, marks, self._lease, unknown_outcome)
        self._membership = Membership(
            self._server,
            marks,
            self._lease,
            self._announcing,
            self._stamps,
            follower,
            seconds=lease,
            timeout=timeout,
            unknown_outcome=unknown_outcome,
            log=log or logging.getLogger("galvo.cache"),
        )

    async def run(self) -> None:
        """Join and follow until cancelled; then leave, so that nobody waits for this process."""
        await self._membership.run()

    async def finish(self) -> None:
        """After `run`: keep what is still being written pending, and take it back as it ends; returns after the last.

        What this process owed at the end of `run` is forgotten; what it `owes` after this has come up meanwhile.
        """
        await self._announcing.finish()

    @property
    def trusted(self) -> bool:
        """Answers may be served from memory now."""
        return self._lease.valid

    @property
    def owes(self) -> bool:
        """Something was written that the others have not been told of yet."""
        return self._announcing.owed != {} or self._announcing.paying

    def owe_everything(self) -> None:
        """Anything may have been written without a word: before anything is served here, all are told so."""
        self._announcing.owe_everything()

    async def announce(self, touch: Touch | None) -> Mark:
        """Make a write known; on return nobody serves what it touches. Begin it in the own ledger first.

        Takes at most about 1.1 leases and the timeout of a round trip. Raises Unannounced, whose `mark` goes to
        `settle` as well if the write is sent all the same.
        """
        return await self._announcing.announce(touch)

    async def settle(self, mark: Mark) -> bool:
        """The write has ended well: await this before its caller regains control and the own ledger's end.

        Returns at once if everybody has known of the write all the time; else announces it again. False: that
        could not be done, because Redis is away.
        """
        return await self._announcing.settle(mark)

    def release(self, mark: Mark, *, open: bool = False) -> None:
        """The write has failed. `open`: it may still happen, so others keep it pending for `unknown_outcome`."""
        self._announcing.release(mark, open=open)

    async def stamps_for(self, fields: Sequence[str]) -> tuple[bytes, ...] | None:
        """The current stamps of `fields` (stamps.fields_read); None is a miss. Capture them before the read."""
        return await self._stamps.get(fields)

    def stamps_known(self, fields: Sequence[str]) -> tuple[bytes, ...] | None:
        """Like `stamps_for`, without asking Redis."""
        return self._stamps.known(fields)

    def stats(self) -> dict[str, float]:
        """Counts since the start; `members`, `shares` (answers in Redis), `pending_remote`, `releases_due`: now."""
        announcing, following = self._announcing, self._membership.following
        return {
            "members": announcing.members,
            "shares": self._may_share(),
            "announced": announcing.announced,
            "acked": following.acked,
            "waited_seconds": announcing.waited,
            "lapsed_waits": announcing.lapsed_waits,
            "resettled": announcing.resettled,
            "unannounced": announcing.unannounced,
            "doubts": self._membership.doubts,
            "lapses": self._lease.lapsed,
            "pending_remote": len(following.held),
            "releases_due": len(announcing.releases),
            "round_trips": self._server.round_trips,
            "away_seconds": self._server.away,
        }

    def _may_share(self) -> bool:
        """Whoever could not announce while Redis was away has had one lease to do it since we are back."""
        return self._lease.mature(self._server.term)
