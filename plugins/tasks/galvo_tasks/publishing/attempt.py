"""One publish, between who waits for it and the thread that does it."""

from __future__ import annotations

import threading
import time

from galvo_tasks.publishing.problems import BrokerAway, DeadlinePassed, NotPublished, Unconfirmed


class Attempt:
    """Who waits may give up at any time, and learns whether the task may arrive nevertheless."""

    def __init__(self, name: str, id: str, deadline: float, keyed: bool) -> None:
        self.name = name
        self.id = id
        self.seconds = deadline
        self.keyed = keyed
        self.begun = time.monotonic()
        self.reached = False
        """A thread has taken it: that nothing comes back is the broker's doing."""
        self._turn = threading.Lock()
        self._sent = False

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.begun + self.seconds - time.monotonic()

    @property
    def sent(self) -> bool:
        """At least once: with a key it may be sent again."""
        return self._sent

    def sending(self) -> None:
        """Whoever has the turn first decides: from here on it may arrive. Raises DeadlinePassed."""
        if self._sent:
            return
        if self.left <= 0 or not self._turn.acquire(blocking=False):
            raise self.passed()
        self._sent = True

    def abandon(self) -> bool:
        """Nobody waits any more. Gives whether it is certain that nothing is sent."""
        return self._turn.acquire(blocking=False)

    def late(self) -> NotPublished:
        """The deadline has passed for who waits."""
        return self.passed() if self.abandon() else self.lost(self._within)

    def passed(self) -> NotPublished:
        """The deadline has passed for who publishes."""
        if self._sent:
            return self.lost(self._within)
        return DeadlinePassed(f"task {self.name} was not sent: no connection to the broker {self._within}", self.id)

    def away(self, why: str) -> NotPublished:
        """There is no connection, or none any more."""
        return self.lost(f"({why})") if self._sent else BrokerAway(f"task {self.name} was not sent: {why}", self.id)

    def lost(self, why: str) -> Unconfirmed:
        """It was sent, and that is all that is known."""
        again = "ask for it with the same key again" if self.keyed else "a task that has a key can be asked for again"
        return Unconfirmed(
            f"task {self.name} was sent, but the broker did not confirm it {why}: it may still arrive, "
            f"as {self.id}; {again}",
            self.id,
        )

    @property
    def _within(self) -> str:
        return f"within the deadline of {self.seconds:g} s"
