"""A database that is away is told as that, whatever was asked for."""

from __future__ import annotations

import logging

import asyncpg
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

log = logging.getLogger("galvo.engraving")
SENTENCE = "the database does not answer: try again in a moment"
LOST = (
    ConnectionError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError, asyncpg.InternalClientError,
)  # fmt: skip
"""What is raised when a connection cannot be made, or has ended under a statement."""


def install(app: FastAPI) -> None:
    for kind in LOST:
        app.add_exception_handler(kind, _away)


async def _away(request: Request, error: Exception) -> JSONResponse:
    log.warning("%s %s: the database is away: %s: %s", request.method, request.url.path, type(error).__name__, error)
    return JSONResponse({"problem": SENTENCE}, 503, {"retry-after": "1"})
