"""FastAPI dependencies: the kernel, and one transaction for a request."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from galvo import GalvoError, Kernel, KernelClosed, Session

log = logging.getLogger("galvo.asgi")
NONE_RUNS = (
    "no kernel runs for this application: write FastAPI(lifespan=galvo_asgi.lifespan(kernel)), start the server "
    "without --lifespan off, and in tests use `with TestClient(app) as client`"
)

ABORTED = (
    "nothing was committed: a statement of this request failed and its error was caught, which aborts the "
    "transaction: let it out, or try the statement within `async with session.transaction()`"
)


async def kernel(connection: HTTPConnection) -> Kernel:
    """`kernel: Annotated[Kernel, Depends(galvo_asgi.kernel)]`, of a request or a websocket. Raises KernelClosed."""
    state = connection.scope.get("state") or {}
    found = state.get("kernel") or getattr(getattr(connection.scope.get("app"), "state", None), "kernel", None)
    if not isinstance(found, Kernel) or not found.running:
        raise KernelClosed(NONE_RUNS)
    return found


class _Gone(Exception):
    """Nobody waits for the answer any more."""


async def _transaction(
    connection: HTTPConnection, kernel: Annotated[Kernel, Depends(kernel)]
) -> AsyncIterator[Session]:
    if not isinstance(connection, Request):
        raise GalvoError(
            "a Transaction would stay open as long as the websocket: write `async with kernel.transaction()` instead"
        )
    try:
        async with kernel.acquire() as session:
            transaction = session.transaction()
            await transaction.start()
            try:
                yield session
                if await _gone(connection):
                    raise _Gone
            except BaseException:
                await transaction.rollback()
                raise
            # PostgreSQL answers the COMMIT of a transaction that an error has aborted by rolling back.
            if await session.execute("COMMIT") == "ROLLBACK":
                raise GalvoError(ABORTED)
    except _Gone:
        log.info("rolled back, as the client has gone: %s %s", connection.method, connection.url.path)


async def _gone(request: Request) -> bool:
    while True:
        kind = ""
        with anyio.CancelScope() as scope:
            scope.cancel()  # only what is there already
            kind = (await request.receive())["type"]
        if kind != "http.request":  # that is a body which nobody has read
            return kind == "http.disconnect"


# FastAPI's default scope ends when the answer has been sent: it would tell of a commit that may still fail.
try:
    _function = Depends(_transaction, scope="function")
except TypeError as error:  # the argument is not there yet
    raise GalvoError("galvo_asgi's dependencies need FastAPI 0.121 or newer: pip install 'fastapi>=0.121'") from error
Transaction = Annotated[Session, _function]
"""`async def order(session: galvo_asgi.Transaction)`: commits when the handler has returned and before the answer is
sent; rolls back when the handler raises, HTTPException too, and when the client has gone by then. Raises
GalvoError, so the client gets 500, when a statement failed and the handler caught its error: PostgreSQL then commits
nothing."""
