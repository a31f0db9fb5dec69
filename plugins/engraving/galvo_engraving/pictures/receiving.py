"""The body of an upload: to a file while it comes, however slowly; into memory only when it is whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile

from fastapi import Request

from galvo_engraving.arriving import pieces
from galvo_engraving.problems import Problem, TooLarge

IN_MEMORY = 1 << 18
"""Bytes of an upload that are not written to a file."""
DIGITS = 18
"""Of a Content-Length; more are not read as a number."""
AT_ONCE = 2
"""Uploads that are whole in memory at the same time."""


class Receiving:
    """Of one application."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def body(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """All of it, `most` bytes at most. Raises TooLarge; Problem when there is none, or not all of it."""
        too_large = f"a picture may have {most:,} bytes: compress it, or scale it down"
        told = request.headers.get("content-length", "")
        if told.isdecimal() and (len(told) > DIGITS or int(told) > most):
            raise TooLarge(too_large)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            async for piece in pieces(request, most, too_large):
                file.write(piece)
            if not file.tell():
                raise Problem("the body is empty: send the picture itself")
            async with self._turns:
                file.seek(0)
                yield file.read()
