"""Bodies of imports: of a known type, and no longer than the settings allow."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from galvo_engraving.arriving import pieces
from galvo_engraving.problems import WrongType
from galvo_engraving.shop import shop

LARGEST = 1 << 28
"""Bytes, whatever the settings say."""


async def contents(request: Request, *types: str) -> bytes:
    """Raises WrongType, TooLarge, Problem."""
    told = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if told not in types:
        raise WrongType(f"Content-Type {told[:100]!r} is not read here: send {' or '.join(types)}")
    return await bounded(request)


async def bounded(request: Request) -> bytes:
    """Raises TooLarge, as soon as it is; Problem when it does not come whole."""
    most = shop(request).settings.file_bytes
    too_large = f"the file is longer than {most} bytes: divide it"
    return b"".join([piece async for piece in pieces(request, most, too_large)])


class Bounded(APIRoute):
    """A route whose JSON is read within the same limit."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            request._body = await bounded(request)  # FastAPI takes it from there
            return await answer(request)

        return handler
