"""The stamps of what answers depend on, for entries that processes share.

A stamp is unique and renewed by every write before it is sent; an entry is valid while all its stamps are. The local
copy follows the stream: a stamp that was asked for arrives in it too, so that it can be neither older than a renewal
read before it nor newer than one still to be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from galvo_cache.touch import Touch

BUCKETS = 1024
MAX_BUCKETS = 128
"""A touch of more buckets of one lane renews the lane."""
MAX_ASKED = 1000
SIZE = 12


def fields_renewed(touch: Touch | None) -> list[str]:
    """The fields whose stamps a write renews. The table's catalog entry must mention each of its lanes."""
    if touch is None:
        return ["*"]
    fields: list[str] = []
    for table, lanes in touch.items():
        fields.append(f"{table}")
        if lanes is None:
            fields.append(f"{table}!")
            continue
        for lane, tokens in lanes.items():
            buckets = None if tokens is None else {token & (BUCKETS - 1) for token in tokens}
            if buckets is None or len(buckets) > MAX_BUCKETS:
                fields.append(f"{table}:{lane}")
            else:
                fields += [f"{table}:{lane}:{bucket}" for bucket in buckets]
    return fields


def fields_read(tables: Iterable[int], slices: Iterable[tuple[int, str, int]] = ()) -> tuple[str, ...]:
    """The fields on which an answer depends: `tables` as a whole, and of each slice (table, lane, token) those rows."""
    fields = ["*", *(f"{table}" for table in tables)]
    for table, lane, token in slices:
        fields += [f"{table}!", f"{table}:{lane}", f"{table}:{lane}:{token & (BUCKETS - 1)}"]
    return tuple(dict.fromkeys(fields))


class Stamps:
    """This process's copy. `usable` says whether it may be believed now."""

    def __init__(self, usable: Callable[[], bool], timeout: float) -> None:
        self._usable, self._timeout = usable, timeout
        self._known: dict[str, bytes] = {}
        self._wanted: dict[str, None] = {}
        self._asked: dict[int, tuple[list[str], asyncio.Future[None]]] = {}
        self._next: asyncio.Future[None] | None = None
        self._requests = 0
        self.wanted = asyncio.Event()

    def known(self, fields: Sequence[str]) -> tuple[bytes, ...] | None:
        """The stamps of `fields`, or None when one is not here or none may be believed."""
        known = self._known
        try:
            stamps = tuple([known[field] for field in fields])
        except KeyError:
            return None
        return stamps if self._usable() else None

    async def get(self, fields: Sequence[str]) -> tuple[bytes, ...] | None:
        """Like `known`, but asks Redis for what is missing; takes at most the timeout."""
        if (stamps := self.known(fields)) is not None or not self._usable() or len(fields) > MAX_ASKED:
            return stamps
        self._wanted |= dict.fromkeys(field for field in fields if field not in self._known)
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        self.wanted.set()
        await asyncio.wait([self._next], timeout=self._timeout)
        return self.known(fields)

    def ask(self) -> tuple[int, list[str]] | None:
        """Number and fields of the next request; None when nothing is wanted."""
        fields = list(self._wanted)[:MAX_ASKED]
        for field in fields:
            del self._wanted[field]
        answered = self._next
        if self._wanted:
            # Whoever waits for the rest is woken by this answer too early, and has a miss.
            self._next = asyncio.get_running_loop().create_future()
        else:
            self._next = None
            self.wanted.clear()
        if not fields or answered is None:
            return None
        self._requests += 1
        self._asked[self._requests] = (fields, answered)
        return self._requests, fields

    def answered(self, request: int, stamps: bytes) -> None:
        """An answer has come in the stream. Raises ValueError when it does not fit the request."""
        fields, waiting = self._asked.pop(request, ([], None))
        if waiting is None:
            return
        if len(stamps) != SIZE * len(fields):
            raise ValueError("stamps of another size")
        for place, field in enumerate(fields):
            self._known[field] = stamps[place * SIZE : place * SIZE + SIZE]
        if not waiting.done():
            waiting.set_result(None)

    def unanswered(self, request: int) -> None:
        """No answer will come, or it comes too late."""
        _, waiting = self._asked.pop(request, ([], None))
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def renewed(self, mark: bytes, touch: Touch | None) -> None:
        """`mark` has been read in the stream."""
        known = self._known
        for field in fields_renewed(touch):
            if field in known:
                known[field] = mark

    def clear(self) -> None:
        """Nothing here may be believed any more."""
        self._known.clear()
        self._wanted.clear()
        self.wanted.clear()
        for waiting in [self._next, *(waiting for _, waiting in self._asked.values())]:
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        self._next = None
        self._asked.clear()
