"""Objects that are expensive to make, used again: parsers, engines, compiled models, sessions of other services.

It does not pay for what takes less than 10 us to make: taking and giving back takes 5 (`galvo bench buffers`).
"""

from __future__ import annotations

import inspect
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Generic, TypeVar, cast

import anyio

from galvo_memory.pools.errors import PoolClosed
from galvo_memory.pools.place import Place
from galvo_memory.pools.registry import Held, registry

T = TypeVar("T")
log = logging.getLogger("galvo.memory")


class ObjectPool(Generic[T]):
    """Of one event loop. The one used last comes first; who waits is served first come first served.

    >>> engines = ObjectPool(make_engine, reset=Engine.clear, max_size=4, max_idle_seconds=300)
    >>> async with engines.acquire(timeout=1) as engine:
    ...     engine.render(page)
    """

    def __init__(
        self,
        factory: Callable[[], T | Awaitable[T]],
        *,
        reset: Callable[[T], object] | None = None,
        validate: Callable[[T], bool | Awaitable[bool]] | None = None,
        dispose: Callable[[T], object] | None = None,
        max_size: int = 10,
        max_idle_seconds: float = 300.0,
        bytes_each: int = 0,
        reset_timeout: float = 10.0,
        name: str = "objects",
    ) -> None:
        """All but `dispose` may be `async def`.

        `reset`: after each use, in at most `reset_timeout` seconds, cancelled or not; one that fails is thrown away.
        `validate`: before an idle one is used again; False throws it away. `dispose`: whenever one is thrown away; it
        must not wait. `max_idle_seconds`: how long one is kept unused; older ones go at the next use, or `sweep`.
        `bytes_each`: what one takes, as far as you know, for the report on memory.
        """
        if max_size < 1:
            raise ValueError(f"max_size is {max_size}: a pool holds at least one object")
        if inspect.iscoroutinefunction(dispose):
            raise ValueError("dispose must be a plain function: it is called where nobody can wait")
        self.name = name
        self.max_size = max_size
        self.made = 0
        self.reused = 0
        self._factory = factory
        self._reset = reset
        self._validate = validate
        self._dispose = dispose
        self._max_idle = max_idle_seconds
        self._bytes = bytes_each
        self._reset_timeout = reset_timeout
        self._turns = anyio.Semaphore(max_size, fast_acquire=True)
        self._idle: deque[tuple[T, float]] = deque()
        self._places: dict[int, Place] = {}
        self._closing = False
        self._closed = anyio.Event()
        registry.add(self)

    def acquire(self, timeout: float | None = None) -> Lease[T]:
        """One for the time of the `async with`. `timeout` is in seconds, the making of a new one included.

        Raises TimeoutError, PoolClosed, what `factory` raises, and what `validate` raises.
        """
        return Lease(self, timeout)

    async def _take_within(self, timeout: float) -> T:
        with anyio.move_on_after(timeout):
            return await self._take()
        raise TimeoutError(
            f"no free one of {self.name} within {timeout:g} s: {len(self._places)} of {self.max_size} (max_size) "
            f"are in use, taken at {', '.join(self._where())}"
        )

    async def _take(self) -> T:
        if self._closing:
            raise PoolClosed(f"the pool {self.name} is closed")
        await self._turns.acquire()
        try:
            if self._closing:
                raise PoolClosed(f"the pool {self.name} was closed while this waited")
            self.sweep()
            while self._idle:
                found, _ = self._idle.pop()
                try:
                    fit = self._validate is None or await _result(self._validate(found))
                except BaseException:
                    self._throw_away(found)
                    raise
                if fit:
                    self.reused += 1
                    return found
                self._throw_away(found)
            made = cast("T", await _result(self._factory()))
            self.made += 1
        except BaseException:
            self._let_next()
            raise
        return made

    async def _give(self, found: T) -> None:
        clean = False
        try:
            clean = not self._closing and (self._reset is None or await self._cleaned(self._reset, found))
        finally:
            if clean and not self._closing:
                self._idle.append((found, time.monotonic()))
            else:
                self._throw_away(found)
            self._let_next()

    async def _cleaned(self, reset: Callable[[T], object], found: T) -> bool:
        try:
            with anyio.move_on_after(self._reset_timeout, shield=True):
                await _result(reset(found))
                return True
            log.warning("reset of one of %s took more than %g s: it is thrown away", self.name, self._reset_timeout)
        except Exception as error:  # noqa: BLE001  # the work itself has succeeded
            log.warning("reset of one of %s failed, it is thrown away: %s", self.name, error)
        return False

    def _let_next(self) -> None:
        self._turns.release()
        if self._closing and self._turns.value == self.max_size:
            self._closed.set()

    def _throw_away(self, found: T) -> None:
        if self._dispose is not None:
            try:
                self._dispose(found)
            except Exception as error:  # noqa: BLE001  # nobody waits for it
                log.warning("dispose of one of %s failed: %s", self.name, error)

    # -- what is idle -----------------------------------------------------------------------------------

    def sweep(self) -> int:
        """Throw away what has been idle for too long; gives how many. Called by every use."""
        oldest, count = time.monotonic() - self._max_idle, 0
        while self._idle and self._idle[0][1] <= oldest:
            count += self._throw_oldest()
        return count

    def _throw_oldest(self) -> int:
        try:
            found, _ = self._idle.popleft()
        except IndexError:  # taken meanwhile
            return 0
        self._throw_away(found)
        return 1

    def held(self) -> Held:
        idle, out = len(self._idle), len(self._places)
        return Held(self.name, idle * self._bytes, out * self._bytes, idle, out, self._where())

    def _where(self) -> tuple[str, ...]:
        return tuple(sorted(set(map(str, list(self._places.values())))))

    def free(self, share: float) -> int:
        """Throw away this share of the idle ones, rounded up, the oldest first."""
        count = -int(-len(self._idle) * share // 1)
        return sum(self._throw_oldest() for _ in range(count)) * self._bytes

    # -- the end ----------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Refuse new users and those who wait, throw away what is idle, wait until the rest has come back."""
        self._closing = True
        self.free(1)
        if self._turns.value == self.max_size:
            self._closed.set()
        await self._closed.wait()

    async def __aenter__(self) -> ObjectPool[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Lease(Generic[T]):
    """One user's turn."""

    __slots__ = ("_found", "_place", "_pool", "_timeout")

    def __init__(self, pool: ObjectPool[T], timeout: float | None) -> None:
        self._pool = pool
        self._timeout = timeout

    async def __aenter__(self) -> T:
        pool = self._pool
        self._place = place = Place()
        self._found = await (pool._take() if self._timeout is None else pool._take_within(self._timeout))
        pool._places[id(place)] = place
        return self._found

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._pool._places[id(self._place)]
        await self._pool._give(self._found)


async def _result(value: object) -> object:
    return await value if inspect.isawaitable(value) else value
