"""The process's end of the socket."""

from __future__ import annotations

import os
import secrets
import socket
import struct
import sys
from collections.abc import Callable

import anyio
import msgspec
from anyio.abc import SocketAttribute, SocketStream

from galvo_memory.asking.protocol import LARGEST_QUESTION, PREFIX, Question, Traced
from galvo_memory.asking.state import State
from galvo_memory.errors import MemoryProblem
from galvo_memory.watching.leaks import Leaks
from galvo_memory.watching.surviving import Surviving

AT_ONCE, WAITING = 4, 32
PATIENCE = 5.0
"""Seconds that a question and the sending of its answer may take."""


class Answering:
    def __init__(self, tell: Callable[[], State], leaks: Leaks, surviving: Surviving) -> None:
        self._tell = tell
        self._leaks = leaks
        self._surviving = surviving
        self._busy = 0
        self.ready = anyio.Event()
        """It can be asked, or that has failed."""

    async def run(self) -> None:
        """Never ends, unless this system has no such sockets."""
        while sys.platform == "linux":
            with self._surviving.part("answering `galvo memory`"):
                name = f"\0{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
                async with await anyio.create_unix_listener(name, backlog=WAITING) as listener:
                    self.ready.set()
                    await listener.serve(self._serve)
            self.ready.set()
            await anyio.sleep(PATIENCE)
        self.ready.set()

    async def _serve(self, stream: SocketStream) -> None:
        async with stream:
            if self._busy >= AT_ONCE or not _allowed(_raw(stream)):
                return
            self._busy += 1
            try:
                with self._surviving.part("answering `galvo memory`"):
                    await self._answer(stream)
            finally:
                self._busy -= 1

    async def _answer(self, stream: SocketStream) -> None:
        try:
            with anyio.fail_after(PATIENCE):
                question = msgspec.json.decode(await stream.receive(LARGEST_QUESTION), type=Question)
            if question.trace:
                answer = msgspec.json.encode(await self._traced(question))
            else:
                answer = msgspec.json.encode(self._tell())
            with anyio.fail_after(PATIENCE):
                await stream.send(answer)
        except (TimeoutError, anyio.EndOfStream, anyio.BrokenResourceError, msgspec.MsgspecError):
            return  # whoever asked does not mean it, or has gone

    async def _traced(self, question: Question) -> Traced:
        try:
            return Traced((await self._leaks.trace(question.trace, types=question.types)).sentences())
        except MemoryProblem as error:
            return Traced([], str(error))


def _raw(stream: SocketStream) -> socket.socket:
    return stream.extra(SocketAttribute.raw_socket)  # noqa: S610  # Django has an `extra`, too


def _allowed(raw: socket.socket) -> bool:
    """Its user is this process's, or root."""
    _, uid, _ = struct.unpack("3i", raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return uid in (0, os.geteuid())
