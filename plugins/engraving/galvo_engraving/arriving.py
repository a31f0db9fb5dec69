"""Bodies of requests that are read while they come."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from galvo_engraving.problems import Problem, TooLarge


async def pieces(request: Request, most: int, sentence: str) -> AsyncIterator[bytes]:
    """All of the body. Raises TooLarge with the sentence, as soon as it has more than `most` bytes; Problem when the
    client breaks off."""
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise TooLarge(sentence)
            yield piece
    except ClientDisconnect:
        raise Problem("the file did not come whole: send it again") from None
