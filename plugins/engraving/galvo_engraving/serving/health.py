"""Whether the application can work: for whatever starts it again when it cannot."""

from __future__ import annotations

import asyncio

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel

from galvo import GalvoError
from galvo_engraving.problems import Away, answers
from galvo_engraving.shop import Db

router = APIRouter(tags=["health"])
SECONDS = 3.0
ASKED = "select now()"
"""Nothing that a cache could know."""

LOST = asyncpg.InternalClientError
"""Of a connection that the server has just ended."""


class Healthy(BaseModel):
    healthy: bool = True


@router.get("/health", responses=answers(503))
async def health(db: Db) -> Healthy:
    """The database answers."""
    try:
        async with asyncio.timeout(SECONDS):
            await db.fetchval(ASKED)
    except (OSError, TimeoutError, GalvoError, asyncpg.PostgresError, asyncpg.InterfaceError, LOST):
        raise Away("the database does not answer") from None
    return Healthy()
