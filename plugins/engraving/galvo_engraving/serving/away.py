"""A database that is away is told as that, whatever was asked for."""

from __future__ import annotations

import logging

import asyncpg
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from galvo import GalvoError

log = logging.getLogger("galvo.engraving")
SENTENCE = "the database does not answer: try again in a moment"
LOST = (
    # A socket that is not there is a file that is not there.
    ConnectionError, FileNotFoundError, TimeoutError, GalvoError,
    asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError,
    asyncpg.ObjectNotInPrerequisiteStateError, asyncpg.InterfaceError, asyncpg.InternalClientError,
)  # fmt: skip
"""What is raised when a connection cannot be made, or has ended under a statement."""


def install(app: FastAPI) -> None:
    for kind in LOST:
        app.add_exception_handler(kind, _away)


async def _away(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, asyncpg.DataError):  # an InterfaceError, too, but a fault of ours
        raise error
    log.warning("%s %s: the database is away: %s: %s", request.method, request.url.path, type(error).__name__, error)
    return JSONResponse({"problem": SENTENCE}, 503, {"retry-after": "1"})
