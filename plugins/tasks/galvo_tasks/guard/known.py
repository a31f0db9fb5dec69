"""What this worker knows of the messages that its broker may deliver a second time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol
from weakref import WeakValueDictionary

from galvo_tasks.guard.letter import Attempt

REMEMBERED = 10_000
"""Messages; one connection loses at most those that were under way."""


class Held(Protocol):
    """A request, as far as it matters here."""

    attempt: Attempt


class Known:
    """A broker gives back what was not acknowledged when a connection ends, and an acknowledgement that was under way
    with it is lost: only after that can something be here that this worker has had before.
    """

    def __init__(self) -> None:
        self.connection = 0
        """Grows with each connection that is lost."""
        self._requests: WeakValueDictionary[Attempt, Held] = WeakValueDictionary()
        self._ended: deque[Attempt] = deque(maxlen=REMEMBERED)
        self._doubtful: dict[Attempt, None] = {}
        self._unbegun: dict[Attempt, None] = {}

    def arrived(self, request: Held) -> None:
        self._requests[request.attempt] = request

    def request(self, attempt: Attempt) -> Held | None:
        """One that has arrived before and is not gone."""
        return self._requests.get(attempt)

    def ended(self, attempt: Attempt, connection: int | None) -> None:
        """It is done, and that was told to the broker through this connection; None: in vain, it comes again."""
        if connection == self.connection:
            self._ended.append(attempt)
        else:
            _remember(self._doubtful, attempt)

    def lose_connection(self, unbegun: Iterable[Attempt]) -> None:
        """`unbegun`: what had arrived and will not be begun because of it."""
        self.connection += 1
        for attempt in self._ended:
            _remember(self._doubtful, attempt)
        self._ended.clear()
        for attempt in unbegun:
            _remember(self._unbegun, attempt)

    def has_ended(self, attempt: Attempt) -> bool:
        return attempt in self._doubtful

    def was_not_begun(self, attempt: Attempt) -> bool:
        """True once: then it has arrived again."""
        return self._unbegun.pop(attempt, self) is None


def _remember(those: dict[Attempt, None], attempt: Attempt) -> None:
    those[attempt] = None
    if len(those) > REMEMBERED:
        del those[next(iter(those))]
