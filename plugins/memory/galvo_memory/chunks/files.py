"""Files that are there whole, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

import anyio
import anyio.to_thread

Write: TypeAlias = "Callable[[bytes], Awaitable[object]]"
PIECE = 1 << 20
"""Bytes that are written at once: each time costs a thread's turn."""


class Gathered:
    """Writes to `write` in larger pieces; `flush` at the end."""

    def __init__(self, write: Write, piece: int = PIECE) -> None:
        self._write = write
        self._piece = piece
        self._parts: list[bytes] = []
        self._size = 0
        self.total = 0
        """Bytes in all."""

    async def __call__(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        self.total += len(data)
        if self._size >= self._piece:
            await self.flush()

    async def flush(self) -> None:
        parts, self._parts, self._size = self._parts, [], 0
        if parts:
            await self._write(b"".join(parts))


@asynccontextmanager
async def atomic(path: str | os.PathLike[str]) -> AsyncIterator[Write]:
    """Gives what writes to a new file beside `path`, which takes its name when all went well, and is removed when not.

    Raises OSError with the path; ValueError when `path` is no regular file, so that it cannot be replaced.
    """
    target = await anyio.to_thread.run_sync(_target, path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        file = await anyio.to_thread.run_sync(_open, target, temporary)
        try:
            yield partial(_named, target, file.write)
            await _named(target, _sync, file)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_close, file)
        await anyio.to_thread.run_sync(os.replace, temporary, target)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(partial(temporary.unlink, missing_ok=True))
        raise


def _target(path: str | os.PathLike[str]) -> Path:
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise ValueError(f"{target} is no regular file, so it cannot be replaced: open it yourself and give the file")
    return target


def _open(target: Path, temporary: Path) -> BinaryIO:
    try:
        file = temporary.open("xb")
        if target.exists():
            shutil.copymode(target, temporary)
    except OSError as error:
        error.filename = str(target)
        raise
    return file


async def _named(target: Path, call: Callable[..., object], *args: object) -> None:
    try:
        await anyio.to_thread.run_sync(call, *args)
    except OSError as error:
        error.filename = str(target)
        raise


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _close(file: BinaryIO) -> None:
    with suppress(OSError):  # it has been told, or the file goes anyway
        file.close()
