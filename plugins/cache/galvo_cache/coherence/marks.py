"""Writes that this process has announced, and who has still to acknowledge them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from time import monotonic

from galvo_cache.touch import Touch


class Unannounced(Exception):
    """A write could not be made known to the other processes: Redis is away, and with it their leases.

    A process that lost only its own way to Redis cannot know whether others still have theirs.
    """

    def __init__(self, reason: str, mark: Mark) -> None:
        super().__init__(f"the write could not be announced to other processes: {reason}")
        self.reason = reason
        self.mark = mark


class Mark:
    """One announced write. While `run` is the run of a valid lease, nobody can have lost sight of it."""

    __slots__ = ("acked", "done", "ids", "missing", "run", "touch", "tried")

    def __init__(self, id: bytes, touch: Touch | None, run: int) -> None:
        self.ids = [id]
        self.touch = touch
        self.run = run
        self.tried = False
        self.acked: set[bytes] = set()
        self.missing: dict[bytes, float] | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Marks:
    """All of them, from before they are announced until they are released."""

    def __init__(self) -> None:
        self.live: dict[bytes, Mark] = {}
        self._count = 0
        self.rename()

    def rename(self) -> None:
        """Take a new member id: nothing that was said to the old one can be mistaken."""
        self.member = os.urandom(6)

    def next_id(self) -> bytes:
        self._count += 1
        return self.member + self._count.to_bytes(6, "big")

    def new(self, touch: Touch | None, run: int) -> Mark:
        mark = Mark(self.next_id(), touch, run)
        self.live[mark.ids[0]] = mark
        return mark

    def again(self, mark: Mark) -> bytes:
        """One more id for a live mark, of this member."""
        id = self.next_id()
        mark.ids.append(id)
        self.live[id] = mark
        return id

    def forget(self, mark: Mark) -> None:
        for id in mark.ids:
            self.live.pop(id, None)

    def acked(self, member: bytes, ids: Iterable[bytes]) -> int:
        """`member` has acknowledged; gives how many of `ids` wait for that."""
        found = 0
        for id in ids:
            mark = self.live.get(id)
            if mark is not None:
                found += 1
                self._without(mark, member)
        return found

    def gone(self, member: bytes) -> None:
        """`member` has no lease any more."""
        for mark in list(self.live.values()):
            self._without(mark, member)

    def _without(self, mark: Mark, member: bytes) -> None:
        mark.acked.add(member)
        if mark.missing is not None:
            mark.missing.pop(member, None)
            if not mark.missing and not mark.done.done():
                mark.done.set_result(None)


async def everybody(mark: Mark, live: dict[bytes, float], known: Callable[[bytes], bool]) -> bool:
    """Wait until each member of `live` (id -> when its lease is over) has acknowledged, or its lease is over.

    `known` says of a member that it need not be asked. False: somebody did not answer.
    """
    mark.missing = {member: end for member, end in live.items() if member not in mark.acked and not known(member)}
    if mark.missing:
        left = max(mark.missing.values()) - monotonic()
        await asyncio.wait([mark.done], timeout=max(left, 0))
    return not mark.missing
