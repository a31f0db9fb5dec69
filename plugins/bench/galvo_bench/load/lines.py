"""A child's side of a conversation in lines of JSON; the end of its standard input ends it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

LIMIT = 1 << 26
"""Bytes of a line: the world that a generator is told."""


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


@asynccontextmanager
async def commands() -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """What the parent asks, one after the other, until it has nothing more to say."""
    reader = asyncio.StreamReader(LIMIT)
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def each() -> AsyncIterator[dict[str, Any]]:
        while line := await reader.readline():
            yield json.loads(line)

    try:
        yield each()
    finally:
        pipe.close()
