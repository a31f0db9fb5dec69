"""Server-sent events: each new view, to all who look.

A view is complete, so nobody needs those that were missed: nothing queues. Who reads slowly gets fewer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

import anyio
import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from galvo_monitor.page.source import Source
from galvo_monitor.view import View

BEAT = 15.0
"""Seconds of silence after which a comment is sent: proxies close what says nothing."""
LIFE = 60.0
"""Seconds, then the browser connects anew. A server that is told to stop waits for its open responses, and nothing
tells them."""
RETRY = 500
"""Milliseconds until the browser does."""
MOST = 100
"""Streams at the same time."""
NEVER = float("-inf")
Admits = Callable[[], Awaitable[bool]]


async def anybody() -> bool:
    return True


class Streams:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._open: set[anyio.CancelScope] = set()
        self._count = 0
        self._closed = False
        self._view: View | None = None
        self._frame = b""

    @property
    def full(self) -> bool:
        return self._closed or self._count >= MOST

    def enter(self) -> None:
        """One more reads."""
        self._count += 1

    def leave(self) -> None:
        self._count -= 1

    def close(self) -> None:
        """End all streams, and begin no more. From the event loop's thread."""
        self._closed = True
        for waiting in list(self._open):
            waiting.cancel()

    async def frames(self, admits: Admits = anybody) -> AsyncGenerator[bytes, None]:
        """What one reader is sent, as long as he is admitted: that is asked before each frame."""
        yield f"retry: {RETRY}\n\n".encode()
        after, ends = NEVER, anyio.current_time() + LIFE
        while not self._closed and anyio.current_time() < ends:
            view = await self._next(after)
            try:
                if not await admits():
                    return
            except Exception:  # noqa: BLE001  # whoever connects anew is told by the host itself
                return
            after = view.at if view else after
            yield self._framed(view) if view else b": still here\n\n"

    async def _next(self, after: float) -> View | None:
        """None after a BEAT without one."""
        with anyio.CancelScope(deadline=anyio.current_time() + BEAT) as waiting:
            self._open.add(waiting)
            try:
                return await self._source.wait(after)
            finally:
                self._open.discard(waiting)
        view = self._source.view()
        return view if view and view.at != after else None  # the clock was set back

    def _framed(self, view: View) -> bytes:
        if view is not self._view:
            self._view = view
            self._frame = b"event: view\nid: %d\ndata: %b\n\n" % (view.at * 1000, msgspec.json.encode(view))
        return self._frame


class Events(StreamingResponse):
    """One reader's, who counts from when it is made: many may be let in before the first of them reads. A reader who
    leaves in the middle of a frame is counted out at once, too."""

    def __init__(self, streams: Streams, admits: Admits = anybody) -> None:
        self._streams = streams
        self._frames = streams.frames(admits)
        super().__init__(self._frames, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
        streams.enter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._frames.aclose()
            self._streams.leave()
