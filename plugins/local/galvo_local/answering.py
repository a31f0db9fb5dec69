"""The process's end of the socket."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from contextvars import ContextVar

import anyio
from anyio.abc import SocketAttribute, SocketStream

from galvo_local.sockets import LARGEST_QUESTION, peer, prefix

AT_ONCE, WAITING = 4, 32
PATIENCE = 5.0
"""Seconds that a question and the sending of its answer may take."""

asker: ContextVar[tuple[int, int]] = ContextVar("asker")
"""Process and user of who asks what is being answered."""


class Answering:
    def __init__(
        self,
        name: str,
        answer: Callable[[bytes], Awaitable[bytes | None]],
        part: Callable[[str], AbstractContextManager[object]],
        apart: Callable[[Callable[[SocketStream], Awaitable[None]], SocketStream], None] | None = None,
        at_once: int = AT_ONCE,
    ) -> None:
        """`name` is the plugin's, by which it is asked; `answer` gives None for what is no question, and
        is cancelled when whoever has asked is gone.

        `part(what)` is entered round all that is done here: it keeps errors from whoever runs this.
        `apart(serve, stream)` runs a conversation that has to go on when `run` is cancelled.
        """
        self._name = name
        self._answer = answer
        self._part = part
        self._apart = apart
        self._at_once = at_once
        self._what = f"answering `galvo {name}`"
        self._busy = 0
        self.ready = anyio.Event()
        """It can be asked, or that has failed."""

    async def run(self) -> None:
        """Never ends, unless this system has no such sockets."""
        while sys.platform == "linux":
            with self._part(self._what):
                name = f"\0{prefix(self._name)}{os.getpid()}-{secrets.token_hex(4)}"
                async with await anyio.create_unix_listener(name, backlog=WAITING) as listener:
                    self.ready.set()
                    await listener.serve(self._accept)
            self.ready.set()
            await anyio.sleep(PATIENCE)
        self.ready.set()

    async def _accept(self, stream: SocketStream) -> None:
        if self._apart is not None:
            self._apart(self._serve, stream)
        else:
            await self._serve(stream)

    async def _serve(self, stream: SocketStream) -> None:
        async with stream:
            if self._busy >= self._at_once or not _allowed(_raw(stream)):
                return
            self._busy += 1
            asker.set(peer(_raw(stream)))
            try:
                with self._part(self._what):
                    await self._converse(stream)
            finally:
                self._busy -= 1

    async def _converse(self, stream: SocketStream) -> None:
        try:
            with anyio.fail_after(PATIENCE):
                question = await stream.receive(LARGEST_QUESTION)
        except (TimeoutError, anyio.EndOfStream, anyio.BrokenResourceError):
            return  # whoever asked does not mean it, or has gone
        if (answer := await self._answered(question, stream)) is None:
            return
        try:
            with anyio.fail_after(PATIENCE):
                await stream.send(answer)
        except (TimeoutError, anyio.BrokenResourceError):
            return

    async def _answered(self, question: bytes, stream: SocketStream) -> bytes | None:
        answer: bytes | None = None
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_gone, stream, tasks.cancel_scope)
            try:
                answer = await self._answer(question)
            except Exception as error:  # noqa: BLE001  # the group would wrap it
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return answer


async def _gone(stream: SocketStream, scope: anyio.CancelScope) -> None:
    """Cancel `scope` when the other end is closed."""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            await stream.receive(LARGEST_QUESTION)
    scope.cancel()


def _raw(stream: SocketStream) -> socket.socket:
    return stream.extra(SocketAttribute.raw_socket)  # noqa: S610  # Django has an `extra`, too


def _allowed(raw: socket.socket) -> bool:
    """Its user is this process's, or root."""
    return peer(raw)[1] in (0, os.geteuid())
