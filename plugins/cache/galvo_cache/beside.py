"""Writes past the cache, by a process whose cache or pool is off: those who share it forget what they keep."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from galvo_cache.coherence.coherence import Coherence
from galvo_cache.coherence.marks import Unannounced
from galvo_cache.l2 import close
from galvo_cache.touch import Touch


class Forgetful:
    """It follows the others, and has nothing to forget."""

    def begin(self, touch: Touch | None) -> None:
        return

    def end(self, handle: object) -> None:
        return

    def clear(self) -> None:
        return


class Beside:
    """One of those that share `namespace`, which keeps nothing itself; made in a running event loop, to be closed."""

    def __init__(
        self, client: Any, namespace: str, *, lease: float, unknown_outcome: float, log: logging.Logger
    ) -> None:
        self._client, self._lease = client, lease
        self._coherence = Coherence(
            client, namespace, Forgetful(), lease=lease, unknown_outcome=unknown_outcome, on_lease=self._leased, log=log
        )
        self._joined = asyncio.Event()
        self._one = asyncio.Lock()
        self._wanted = self._told = 0
        self._telling: set[asyncio.Task[None]] = set()
        self._running = asyncio.create_task(self._coherence.run())

    async def tell(self) -> None:
        """After a write, before its caller goes on: on return nobody answers what was before.

        Those who have written meanwhile are told of at once. If Redis is away, nobody serves from memory any more,
        and what is in Redis is told of when it is back.
        """
        self._wanted += 1
        telling = asyncio.create_task(self._until(self._wanted))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)
        await asyncio.shield(telling)  # whoever leaves has written all the same

    async def close(self) -> None:
        await asyncio.gather(*self._telling, return_exceptions=True)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await close(self._client)

    async def _until(self, number: int) -> None:
        async with self._one:
            if self._told >= number:
                return
            await self._join()
            upto = self._wanted
            try:
                mark = await self._coherence.announce(None)
            except Unannounced as away:
                mark = away.mark
            self._coherence.release(mark)
            self._told = upto

    async def _join(self) -> None:
        """Whoever has not joined hears no acknowledgements."""
        if not self._joined.is_set():
            try:
                async with asyncio.timeout(self._lease):
                    await self._joined.wait()
            except TimeoutError:
                self._joined.set()  # once is enough

    def _leased(self, until: float) -> None:
        if until:
            self._joined.set()
