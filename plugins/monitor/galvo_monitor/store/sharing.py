"""Several processes, one set of numbers: each tells its own through Redis and adds up everybody's.

A record lives for six intervals after it was written. In the second half of that its process counts as gone, and
whoever sees it first folds what it has counted into the sums of the departed: in one transaction, so once. A process
that was only slow finds itself among them, and goes on under another name with what it has counted since. So nothing
is lost or counted twice, and no total goes backwards.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import secrets
from asyncio import to_thread
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, TypeVar

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError, WatchError

from galvo_monitor.cells import Snapshot
from galvo_monitor.store.merged import Merged
from galvo_monitor.store.packing import departed_of, pack, record_of
from galvo_monitor.store.records import Departed, Record, counted, less, together
from galvo_monitor.store.seal import Rejected, Seal

MOST: Final = 64
"""Processes; the newest count."""
MAX_BYTES: Final = 1 << 20
"""Of one record."""
ALIVE: Final = 3
"""Intervals that a process may be silent."""
ATTEMPTS: Final = 5
"""To fold one process, while others fold, too."""
SENT: Final = 8
"""Records of this process that are remembered, as nobody knows which of them arrived."""
Told = TypeVar("Told", Record, Departed)
_NAME: Final = re.compile(r"[0-9a-f]{32}")


class Other(msgspec.Struct):
    """Another process, as it was heard last."""

    record: Record
    heard: float
    """Seconds of the monotonic clock."""
    alive: bool = True


class Sharing:
    def __init__(
        self,
        client: Redis,
        *,
        namespace: str,
        key: bytes,
        interval: float,
        timeout: float = 1.0,
        log: logging.Logger | None = None,
        clock: Callable[[], float] = monotonic,
        older: Sharing | None = None,
    ) -> None:
        """`namespace`: what these processes have in common. `key`: see `key_of`; the same in all of them, and so is
        `interval`, in seconds. `timeout`: seconds that Redis may take for one of the few steps of an
        exchange. `older`: of the same process and the same counters, which this one takes the place of."""
        self._client = client
        self._prefix = f"galvo:monitor:{{{namespace}}}:"  # one slot of a cluster
        self._seal = Seal(key, max_bytes=MAX_BYTES)
        self._alive = ALIVE * interval
        self._timeout = timeout
        self._log = log or logging.getLogger("galvo.monitor")
        self._clock = clock
        self._name = secrets.token_hex(16)
        self._number = 0
        self._sent: dict[int, Snapshot] = {}
        self._baseline: Snapshot | None = None
        """What this process has counted under names that were folded."""
        self._before: Snapshot | None = None
        self._others: dict[str, Other] = {}
        self._departed = Departed()
        self._told: set[Any] = set()
        self._patient = -math.inf
        """Until then nobody is thought gone: the others, too, have to notice that Redis is back."""
        self._older = older
        self._over = False
        """Another one tells what this process counts."""
        self._left: Snapshot | None = None
        """What this process had counted when it was folded at its end."""
        self.problem: str | None = None
        self.rejected = 0
        """What was found in Redis and not believed."""

    async def exchange(self, own: Snapshot) -> Merged:
        """Tell `own`, and hear the others. Never raises: without Redis these are this process's own numbers, and what
        the others had counted until then."""
        self._take_over()
        before, self._before = self._before, own
        if self._over:
            return Merged(own, before)
        problem = None
        try:
            for _ in range(2):
                await self._tell_and_hear(own, before)
                if not self._is_folded(own):
                    break
            await self._fold_silent()
        except Rejected as error:
            problem = f"the numbers are this process's own: {error}"
        except (RedisError, OSError, TimeoutError) as error:
            problem = f"the numbers are this process's own: Redis does not answer ({type(error).__name__})"
        except Exception as error:  # noqa: BLE001  # whatever it is, the own numbers go on
            problem = f"the numbers are this process's own: they cannot be told ({type(error).__name__})"
        self._change(problem)
        return await to_thread(self._merged, own, before)

    async def total(self) -> Snapshot | None:
        """What all have told until now, as it lies in Redis: so it never goes back, whichever process is asked next.

        None: that is not known now, as Redis does not answer, or not with all of it."""
        try:
            async with asyncio.timeout(self._timeout):
                found: list[Any] = await self._client.zrevrange(self._key("processes"), 0, MOST - 1)
                names = [name for name in (each.decode("ascii", "replace") for each in found) if _NAME.fullmatch(name)]
                async with self._client.pipeline(transaction=True) as pipe:
                    for name in ("departed", *names):
                        pipe.getrange(self._key(name), 0, MAX_BYTES)
                    answers = await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            return None
        return await to_thread(self._all_of, names, answers)

    async def leave(self, own: Snapshot) -> None:
        """The process ends: fold what it has counted now, not when its record has grown old. Never raises."""
        self._take_over()
        if self._over:
            return
        try:
            self._number += 1
            await self._fold(self._name, Record(self._number, less(own, self._baseline), None), ended=True)
            self._left = own
        except Exception as error:  # noqa: BLE001  # nothing keeps the process from its end
            self._log.info("what this process has counted is folded by others (%s)", type(error).__name__)

    def _take_over(self) -> None:
        """Go on where the older one is, or was when it left: else its counters would count twice."""
        older, self._older = self._older, None
        if older is None or (older._prefix, older._seal.key) != (self._prefix, self._seal.key):
            return
        older._take_over()
        older._over = True
        self._before, self._others, self._departed = older._before, older._others, older._departed
        if older._left is not None:
            self._baseline = older._left
        else:
            self._name, self._number, self._sent = older._name, older._number, older._sent
            self._baseline = older._baseline

    # -- one exchange ---------------------------------------------------------------------------------

    async def _tell_and_hear(self, own: Snapshot, before: Snapshot | None) -> None:
        self._number += 1
        self._sent[self._number] = own
        for oldest in [*self._sent][:-SENT]:
            del self._sent[oldest]
        sealed = await to_thread(self._record, own, before)
        others, answers = await self._exchanged(sealed, own.at)
        older = await to_thread(self._hear, others, answers)
        if older and self._departed.version:  # Redis was emptied, or holds an old one
            again = await to_thread(self._sealed, "departed", self._departed)
            async with asyncio.timeout(self._timeout):
                await self._client.set(self._key("departed"), again, px=self._kept)

    async def _exchanged(self, sealed: bytes, at: float) -> tuple[list[str], list[Any]]:
        """The others' names. The departed, and of each of the others its record and the milliseconds it has left; all
        at one moment."""
        async with asyncio.timeout(self._timeout):
            found: list[Any] = await self._client.zrevrange(self._key("processes"), 0, MOST - 1)
            names = [name.decode("ascii", "replace") for name in found]
            others = [name for name in names if _NAME.fullmatch(name) and name != self._name]
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.set(self._key(self._name), sealed, px=self._kept)
                pipe.zadd(self._key("processes"), {self._name: at})
                pipe.pexpire(self._key("processes"), self._kept)
                pipe.pexpire(self._key("departed"), self._kept)
                pipe.getrange(self._key("departed"), 0, MAX_BYTES)
                for name in others:
                    pipe.getrange(self._key(name), 0, MAX_BYTES)
                    pipe.pttl(self._key(name))
                answers = (await pipe.execute())[4:]
            left_over = [name for name, record in zip(others, answers[1::2], strict=True) if not record]
            if gone := [name for name in left_over if name not in self._others]:
                await self._client.zrem(self._key("processes"), *gone)
        return others, answers

    def _is_folded(self, own: Snapshot) -> bool:
        """Others thought this process gone: it goes on under another name, from what they have folded."""
        number = self._departed.folded.get(self._name)
        if number is None:
            return False
        self._baseline = self._sent.get(number) or next(iter(self._sent.values()), own)
        self._name = secrets.token_hex(16)
        return True

    async def _fold_silent(self) -> None:
        if self.problem is not None:
            self._patient = self._clock() + self._alive
        for name, other in [*self._others.items()]:
            if self._clock() - other.heard > self._alive:
                other.alive = False
            if not other.alive and self._clock() >= self._patient:
                await self._fold(name, other.record)

    async def _fold(self, name: str, record: Record, *, ended: bool = False) -> None:
        """Unless somebody else does, or it is back. `ended`: nobody has to look whether it is."""
        key, departed_key = self._key(name), self._key("departed")
        for _ in range(ATTEMPTS):
            async with asyncio.timeout(self._timeout), self._client.pipeline(transaction=True) as pipe:
                await pipe.watch(key, departed_key)
                if not ended and await pipe.pttl(key) > self._alive * 1000:
                    return
                found = await pipe.getrange(departed_key, 0, MAX_BYTES)
                departed, sealed = await to_thread(self._folded, found, name, record)
                pipe.multi()  # type: ignore[no-untyped-call]
                pipe.set(departed_key, sealed, px=self._kept)
                pipe.delete(key)
                pipe.zrem(self._key("processes"), name)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
            self._departed = departed
            self._others.pop(name, None)
            return

    # -- what it means --------------------------------------------------------------------------------

    def _merged(self, own: Snapshot, before: Snapshot | None) -> Merged:
        now: list[Snapshot | None] = [less(own, self._baseline), self._departed.total]
        past: list[Snapshot | None] = [None if before is None else less(before, self._baseline), self._departed.total]
        alive = 0
        for other in self._others.values():
            if other.alive and self.problem is None:
                alive += 1
                now.append(other.record.now)
                past.append(other.record.before or counted(other.record.now))
            else:  # what it had counted stays counted, and does not go on
                now.append(counted(other.record.now))
                past.append(counted(other.record.now))
        return Merged(together(now), None if before is None else together(past), 1 + alive, self.problem)

    def _change(self, problem: str | None) -> None:
        if problem != self.problem:
            self._log.warning("%s", problem or "the numbers are those of all processes again")
            self.problem = problem

    # -- Redis ----------------------------------------------------------------------------------------

    @property
    def _kept(self) -> int:
        """Milliseconds."""
        return int(2 * self._alive * 1000)

    def _key(self, name: str) -> bytes:
        return f"{self._prefix}{name}".encode()

    # -- in a thread: long, when there are many series ------------------------------------------------

    def _record(self, own: Snapshot, before: Snapshot | None) -> bytes:
        past = None if before is None else less(before, self._baseline)
        return self._sealed(self._name, Record(self._number, less(own, self._baseline), past))

    def _hear(self, others: list[str], answers: list[Any]) -> bool:
        """Whether Redis holds departed of long ago, or none."""
        departed = self._opened("departed", answers[0], departed_of)
        older = departed is None or departed.version < self._departed.version
        if departed is not None and not older:
            self._departed = departed
        for name, sealed, left in zip(others, answers[1::2], answers[2::2], strict=True):
            record = self._opened(name, sealed, record_of)
            if record is None:
                continue
            known = self._others.get(name)
            alive = left > self._alive * 1000
            if known is None or record.number > known.record.number:
                self._others[name] = Other(record, self._clock(), alive)
            else:
                known.alive = alive
        for name in [name for name in self._others if name in self._departed.folded]:
            del self._others[name]
        return older

    def _all_of(self, names: list[str], answers: list[Any]) -> Snapshot | None:
        departed = self._opened("departed", answers[0], departed_of) or Departed()
        told = {
            name: record.now
            for name, sealed in zip(names, answers[1:], strict=True)
            if name not in departed.folded and (record := self._opened(name, sealed, record_of)) is not None
        }
        emptied = departed.version < self._departed.version
        if emptied or not {self._name, *self._others} <= told.keys() | departed.folded.keys():
            return None
        return together([*told.values(), departed.total]) if told else None

    def _folded(self, found: Any, name: str, record: Record) -> tuple[Departed, bytes]:
        departed = self._opened("departed", found, departed_of)
        if departed is None or departed.version < self._departed.version:
            departed = self._departed
        if name not in departed.folded:
            departed = departed.with_(name, record)
        return departed, self._sealed("departed", departed)

    def _sealed(self, name: str, value: Record | Departed) -> bytes:
        return self._seal.close(self._key(name), pack(value))

    def _opened(self, name: str, sealed: Any, read: Callable[[bytes], Told]) -> Told | None:
        """None: there is none, or none that can be believed."""
        if not sealed:
            return None
        try:
            return read(self._seal.open(self._key(name), sealed))
        except Rejected as error:
            self.rejected += 1
            if read not in self._told:
                self._told.add(read)
                self._log.warning("what lies in Redis under %s is not believed: %s", self._key(name).decode(), error)
            return None
