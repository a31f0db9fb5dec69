"""Bodies of imports: of a known type, and no longer than the settings allow."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from galvo_engraving.problems import Problem, TooLarge, WrongType
from galvo_engraving.shop import shop

LARGEST = 1 << 28
"""Bytes, whatever the settings say."""


async def contents(request: Request, *types: str) -> bytes:
    """Raises WrongType, TooLarge."""
    told = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if told not in types:
        raise WrongType(f"Content-Type {told[:100]!r} is not read here: send {' or '.join(types)}")
    return await bounded(request)


async def bounded(request: Request) -> bytes:
    """Raises TooLarge, as soon as it is."""
    most = shop(request).settings.file_bytes
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise TooLarge(f"the file is longer than {most} bytes: divide it")
            parts.append(part)
    except ClientDisconnect:
        raise Problem("the file did not come whole") from None
    return b"".join(parts)


class Bounded(APIRoute):
    """A route whose JSON is read within the same limit."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            request._body = await bounded(request)  # FastAPI takes it from there
            return await answer(request)

        return handler
