"""What one user may have at once, so that the others have their turn. Of this process, in memory."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from galvo_engraving.problems import TooMany

UNFINISHED = 5
"""Rasters that wait or are being made."""
STREAMS = 10
"""Of events."""
AGAIN = 10
"""Seconds after which it is worth a try again."""
USERS = 5_000
"""That are remembered; who has asked longest ago is forgotten first."""


class Unfinished:
    """Whose rasters have been begun, and may not have ended."""

    def __init__(self) -> None:
        self._of: OrderedDict[int, dict[str, bool]] = OrderedDict()
        """By user, then by raster: whether it has been begun. One that is about to be is known to nobody else."""

    @asynccontextmanager
    async def one_more(self, user: int, raster: str, ended: Callable[[str], Awaitable[bool]]) -> AsyncIterator[bool]:
        """To begin it in; gives whether there are others. `ended` is asked for each of them. Raises TooMany."""
        mine = self._of.setdefault(user, {})
        self._of.move_to_end(user)
        for other in [other for other, begun in mine.items() if begun]:
            if await ended(other):
                mine.pop(other, None)
        # Nobody comes between this look and the next line, so many that ask at once do not slip through.
        if (others := len(mine)) >= UNFINISHED:
            raise TooMany(f"{UNFINISHED} of your rasters are not done yet: wait for one, or cancel one", AGAIN)
        mine[raster] = False
        if len(self._of) > USERS:
            self._of.popitem(last=False)
        try:
            yield others > 0
        except BaseException:
            del mine[raster]
            raise
        mine[raster] = True


class Followers:
    """Who follows how many rasters now."""

    def __init__(self) -> None:
        self._of: Counter[int] = Counter()

    @contextmanager
    def one_more(self, user: int) -> Iterator[None]:
        """As long as it is followed. Raises TooMany."""
        if self._of[user] >= STREAMS:
            raise TooMany(f"you follow {STREAMS} rasters already: end one of these streams", AGAIN)
        self._of[user] += 1
        try:
            yield
        finally:
            self._of[user] -= 1
            self._of += Counter()  # without those who follow none
