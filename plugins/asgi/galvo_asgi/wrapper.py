"""Any ASGI application, Django's for example: a kernel round those that have no lifespan of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import Any

from galvo import GalvoError, Kernel, KernelClosed
from galvo_asgi.refusing import sentence
from galvo_asgi.running import Source, started

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[Any]]


def with_kernel(app: Application, kernel: Source = Kernel.from_settings) -> WithKernel:
    """`application = with_kernel(get_asgi_application(), kernel)`: `app`, with the kernel in `scope["state"]`.

    It answers the server's lifespan messages itself; `app` is never asked. A server that sends none gets
    the kernel with its first request, until its event loop ends. Raises GalvoError for an app that has a lifespan.
    """
    if hasattr(getattr(app, "router", None), "lifespan_context"):
        raise GalvoError(
            f"a {type(app).__name__} application has a lifespan of its own, which with_kernel would hide: "
            f"write {type(app).__name__}(lifespan=galvo_asgi.lifespan(kernel))"
        )
    return WithKernel(app, kernel)


class WithKernel:
    """See `with_kernel`."""

    def __init__(self, app: Application, source: Source) -> None:
        self._app = app
        self._source = source
        self._kernel: Kernel | None = None
        self._starting: asyncio.Future[Kernel] | None = None
        self._owner: asyncio.Task[None] | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        kernel = self._kernel or await self._at_first_request()
        scope.setdefault("state", {})["kernel"] = kernel
        await self._app(scope, receive, send)

    async def _lifespan(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                self._kernel = await stack.enter_async_context(started(self._source))
            except GalvoError as error:
                await send({"type": "lifespan.startup.failed", "message": sentence(error)})
                return
            stack.callback(setattr, self, "_kernel", None)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _at_first_request(self) -> Kernel:
        """Started once, by a task of its own: a kernel stops in the task that started it."""
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_future()
            self._owner = asyncio.create_task(self._own(self._starting), name="galvo kernel")
        return await asyncio.shield(self._starting)

    async def _own(self, starting: asyncio.Future[Kernel]) -> None:
        try:
            async with started(self._source) as self._kernel:
                starting.set_result(self._kernel)
                await asyncio.Event().wait()
        except GalvoError as error:
            starting.set_exception(KernelClosed(sentence(error)))
        finally:
            self._kernel = self._starting = None  # the next request tries again
