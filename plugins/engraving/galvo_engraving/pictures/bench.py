"""Where pictures are worked on: by workers where there are tasks, else by this process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Request

from galvo_engraving.pictures.by_jobs import ByJobs
from galvo_engraving.pictures.here import Here
from galvo_engraving.pictures.receiving import Receiving
from galvo_engraving.pictures.shares import Followers, Unfinished
from galvo_engraving.pictures.told import Told
from galvo_engraving.shop import Shop


class Maker(Protocol):
    def named(self) -> tuple[str, str]: ...
    async def begin(self, shop: Shop, id: str, key: str, further: bool, /) -> None: ...
    async def look(self, id: str) -> Told | None: ...
    def changes(self, id: str) -> AsyncGenerator[Told, None]: ...
    async def cancel(self, id: str) -> None: ...


class Bench:
    """Of one application."""

    def __init__(self) -> None:
        self.here = Here()
        self.receiving = Receiving()
        self.unfinished = Unfinished()
        self.followers = Followers()

    def maker(self, shop: Shop, id: str = "") -> Maker:
        """Of the raster `id`, or of the next one: tasks may be switched on and off meanwhile."""
        if shop.jobs is None or self.here.knows(id):
            return self.here
        return ByJobs(shop.jobs)

    async def ended(self, shop: Shop, id: str) -> bool:
        """Whether nobody makes the raster `id`, nor will. Raises Away."""
        told = await self.maker(shop, id).look(id)
        return told is None or told.ended


async def bench(request: Request) -> Bench:
    state = request.app.state
    if not hasattr(state, "pictures"):
        state.pictures = Bench()
    return cast("Bench", state.pictures)


AtBench = Annotated[Bench, Depends(bench)]


@asynccontextmanager
async def closing(app: Any) -> AsyncIterator[None]:
    """Nothing of it runs on when the application has ended."""
    yield
    found: Bench | None = getattr(app.state, "pictures", None)
    if found is not None:
        await found.here.close()
