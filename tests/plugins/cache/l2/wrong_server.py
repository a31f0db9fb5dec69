"""A server that speaks RESP badly, in every way a broken or hostile one could."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(data: bytes) -> Answer:
    """Answers every request with `data`."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


async def silence(writer: asyncio.StreamWriter) -> None:
    """Reads, and never answers."""


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()


async def endless(writer: asyncio.StreamWriter) -> None:
    """A string that is announced with 100 MB and comes as fast as it is read."""
    writer.write(b"*2\r\n$-1\r\n$100000000\r\n")
    for _ in range(1500):
        writer.write(b"x" * 65536)
        await writer.drain()


@asynccontextmanager
async def wrong_server(answer: Answer, folder: Path) -> AsyncIterator[str]:
    """The URL of a server that answers each request like that."""
    path = folder / f"wrong{os.urandom(4).hex()}.sock"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65536):
                await answer(writer)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield f"unix://{path}"
    finally:
        server.close()
