"""What this process holds of one Redis: while it lives its messages are its own, however long they run or wait.

A message that was taken has a lease of `lease` seconds, which a thread renews every third of that. Who dies, or is
stopped for longer, loses it: another worker gives the message back, counted (`lost`). Acknowledging goes through here,
too, and not through the channel: a task goes on running when the connection of its channel is lost.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from time import monotonic
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from galvo_tasks.broker import begun
from galvo_tasks.broker.lost import counted, unpacked
from galvo_tasks.broker.scripts import ACKNOWLEDGE, EXPIRED, GIVE_BACK, PUT_ASIDE, RENEW, Script, Word
from galvo_tasks.broker.steady import Steady

if TYPE_CHECKING:
    from celery.worker.request import Request

UNACKED = "galvo.unacked"
"""Hash: what was taken and is not acknowledged, by delivery tag."""
LEASES = "galvo.leases"
"""Sorted set: until when each of those is its worker's, by Redis' clock."""
UNREADABLE = "galvo.unreadable"
"""List: what was taken and is no message."""
SOON = 1.0
"""Seconds until what could not be told to Redis is tried again."""
ENDING = 10.0
"""Seconds for which a worker that ends goes on telling a silent Redis what is done, or a lease if that is shorter."""

logger = logging.getLogger(__name__)


class Leases:
    """Of all channels of this process that consume from one Redis."""

    def __init__(self, client: Any, prefix: str, lease: float) -> None:
        self.lease = lease
        self.unacked = prefix + UNACKED
        self.leases = prefix + LEASES
        self._unreadable = prefix + UNREADABLE
        self._client = client
        self._pid = os.getpid()
        self._held: dict[str, Request | None] = {}
        self._left: dict[str, float] = {}
        """Held, but their channel is gone: since when."""
        self._owed: dict[str, Callable[[], None]] = {}
        """What Redis has not been told yet, or is being told now: a thread that tells it may end with the process."""
        self._doubtful: dict[str, float] = {}
        """Taking them was not answered: Redis may do it until this time."""
        self._channels = 0
        self._steady = Steady(lease)
        self._away = False
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def join(self) -> None:
        """A channel begins to consume."""
        from galvo_tasks.scaling.forks import uncut  # it needs an application, and that needs this package

        with self._lock:
            self._channels += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, args=(uncut,), name="galvo-leases", daemon=True)
                self._thread.start()

    def part(self) -> None:
        """A channel has ended; after the last one the thread ends with what is still held."""
        self._channels -= 1
        self._changed.set()
        if self._owed and begun.stopping():
            self._settle()

    def expect(self, tag: str) -> None:
        """Redis is asked for a message that will have this tag."""
        self._held[tag] = None

    def forget(self, tag: str) -> None:
        """There was none."""
        self._held.pop(tag, None)

    def doubt(self, tag: str) -> None:
        """Whether there was one will not be known."""
        self._held.pop(tag, None)
        self._doubtful[tag] = monotonic() + self.lease
        self._changed.set()

    def note(self, tag: str, request: Request) -> None:
        """What Celery has made of it."""
        if tag in self._held:
            self._held[tag] = request

    def acknowledge(self, tag: str) -> None:
        """It is done; if Redis is away it is told later."""
        request = self._held.get(tag)
        self._tell(tag, lambda: self._acknowledge(tag, request))

    def give_back(self, tag: str, *, lost: bool = False, last: bool = False) -> None:
        """To the queue it came from: to be the next one, or the `last`; `lost`: it may have been begun."""
        self._tell(tag, lambda: self._give_back(tag, lost=lost, last=last))

    def leave(self, tag: str) -> None:
        """Its channel is closed: what has not begun goes back, what runs goes on."""
        if os.getpid() != self._pid or tag not in self._held:
            return
        request = self._held[tag]
        if request is None or (begun.stopping() and not begun.may_have_begun(request)):
            self.give_back(tag)
        elif begun.stopping():
            self.give_back(tag, lost=True)  # its pool has ended
        else:
            self._left[tag] = monotonic()
            self._changed.set()

    def may_have_begun(self, tag: str) -> bool:
        return begun.may_have_begun(self._held.get(tag))

    def _tell(self, tag: str, act: Callable[[], None]) -> None:
        if os.getpid() != self._pid:  # a copy in a forked process
            return
        self._owed[tag] = act
        request = self._held.pop(tag, None)
        try:
            act()
        except RedisError as error:
            logger.warning("Redis is told later what became of message %s: %s", tag, error)
            self._held[tag] = request
            self._changed.set()
        else:
            self._is_told(tag)

    def _is_told(self, tag: str) -> None:
        for noted in (self._owed, self._held, self._left):
            noted.pop(tag, None)

    def _settle(self) -> None:
        """The last chance of a process that ends."""
        end, error = monotonic() + min(ENDING, self.lease), RedisError("it does not answer")
        while self._owed and monotonic() < end:
            try:
                self._pay()
            except RedisError as found:
                error = found
                time.sleep(min(SOON, self.lease / 3) / 4)
        if self._owed:
            logger.error("Redis is away (%s): %d messages come back although they are done", error, len(self._owed))

    def _pay(self) -> None:
        for tag, act in list(self._owed.items()):
            act()
            self._is_told(tag)

    def _acknowledge(self, tag: str, request: Request | None) -> None:
        if not ACKNOWLEDGE.run(self._client, [self.unacked, self.leases], [tag]):
            begun.lost_lease(request)

    def _give_back(self, tag: str, *, lost: bool, last: bool) -> None:
        side = "LPUSH" if last else "RPUSH"
        if not lost:
            self._do(GIVE_BACK, tag, side, "")
        elif (entry := self._client.hget(self.unacked, tag)) is not None:
            with contextlib.suppress(ValueError):  # its lease runs out, and it is put aside
                self._do(GIVE_BACK, tag, side, "", counted(unpacked(entry)))

    def _do(self, script: Script, *args: Word) -> None:
        script.run(self._client, [self.unacked, self.leases], args)

    def _run(self, uncut: AbstractContextManager[Any]) -> None:
        while not self._is_over():
            with uncut:  # no process forks meanwhile
                self._look()
            pressing = self._owed or self._left or self._doubtful
            self._changed.wait(min(SOON, self.lease / 3) if pressing else self.lease / 3)
            if self._changed.is_set():
                self._changed.clear()
                self._changed.wait(min(SOON, self.lease / 3) / 4)  # not at once: what failed just now fails again
        self._client.connection_pool.disconnect()

    def _look(self) -> None:
        try:
            self._turn()
        except Exception as error:  # whatever it is: without this thread all leases would run out
            self._steady.interrupted()
            if not self._away:
                self._away = True
                unexpected = None if isinstance(error, RedisError) else error
                logger.warning("Leases cannot be renewed: %s", error, exc_info=unexpected)
        else:
            if self._away:
                self._away = False
                logger.info("Leases are renewed again")

    def _is_over(self) -> bool:
        with self._lock:
            if over := not (self._channels > 0 or self._held or self._owed):
                self._thread = None
            return over

    def _turn(self) -> None:
        self._pay()
        self._look_after_left()
        for tag, until in list(self._doubtful.items()):
            self._do(GIVE_BACK, tag, "RPUSH", "")
            if monotonic() > until:
                del self._doubtful[tag]
        self._renew()
        if self._steady:
            self._restore()

    def _look_after_left(self) -> None:
        for tag, since in list(self._left.items()):
            request, age = self._held.get(tag), monotonic() - since
            if age < SOON / 2 or begun.runs(request):
                continue
            if not begun.may_have_begun(request):
                self.give_back(tag)
            elif age > self.lease:  # given to the pool, and never accepted or acknowledged: its lease runs out
                self._held.pop(tag, None)
                self._left.pop(tag, None)

    def _renew(self) -> None:
        before = monotonic()
        held = list(self._held)
        now, *gone = RENEW.run(self._client, [self.leases], [self.lease, *held])
        self._steady.seen(before, monotonic(), float(now))
        for tag in map(bytes.decode, gone):
            if (request := self._held.get(tag)) is not None and tag not in self._owed:
                self._held.pop(tag, None)
                begun.lost_lease(request)
                logger.warning("This worker was away for longer than its lease: message %s is not its own now", tag)

    def _restore(self) -> None:
        found = EXPIRED.run(self._client, [self.unacked, self.leases], [100])
        for tag, entry in zip(found[::2], found[1::2], strict=True):
            name = tag.decode(errors="replace")
            try:
                changed = counted(unpacked(entry))
                given = GIVE_BACK.run(self._client, [self.unacked, self.leases], [tag, "RPUSH", "1", changed])
            except ValueError:
                given = -1
            if given == 1:
                logger.warning("Message %s of a lost worker is given back", name)
            elif given == -1:  # one such entry must not keep those behind it from coming back
                PUT_ASIDE.run(self._client, [self.unacked, self.leases, self._unreadable], [tag, entry])
                logger.critical("What is noted of message %s is no note, and is kept in the list %s", name, UNREADABLE)


_ALL: dict[Hashable, Leases] = {}


def leases_of(address: Hashable, make: Callable[[], Leases]) -> Leases:
    """Those of this process and that Redis."""
    with contextlib.suppress(KeyError):
        return _ALL[address]
    return _ALL.setdefault(address, make())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ALL.clear)
