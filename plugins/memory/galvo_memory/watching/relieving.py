"""Has memory freed in a task of its own: whoever takes long to free does not keep anybody from watching."""

from __future__ import annotations

from collections import deque
from time import monotonic

import anyio
import msgspec

from galvo import Context, Freed, Level
from galvo_local import Surviving
from galvo_memory.relief import Relief
from galvo_memory.watching.metering import FREED


class Relieved(msgspec.Struct, frozen=True):
    at: float
    """Seconds of the monotonic clock."""
    level: Level
    freed: list[Freed]


class Relieving:
    """One relief at a time; of what is wanted meanwhile, the last."""

    def __init__(self, context: Context, relief: Relief, surviving: Surviving) -> None:
        self._context = context
        self._relief = relief
        self._surviving = surviving
        self._wanted: tuple[Level, int] | None = None
        self._asked = anyio.Event()
        self.last: deque[Relieved] = deque(maxlen=10)

    def want(self, level: Level, bytes_over: int) -> None:
        self._wanted = level, bytes_over
        self._asked.set()

    async def run(self) -> None:
        """Never ends."""
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            wanted, self._wanted = self._wanted, None
            if wanted is not None:
                with self._surviving.part("freeing memory"):
                    await self._free(*wanted)

    async def _free(self, level: Level, bytes_over: int) -> None:
        freed = await self._relief.relieve(level, bytes_over)
        if level is not Level.NORMAL:
            self._context.record(FREED, sum(part.bytes for part in freed))
            self.last.append(Relieved(monotonic(), level, freed))
