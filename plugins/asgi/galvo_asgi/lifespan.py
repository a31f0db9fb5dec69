"""Starlette and FastAPI: a kernel that starts and stops with the application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from galvo import GalvoError, Kernel
from galvo_asgi.refusing import Refusal
from galvo_asgi.running import Source, started

Lifespan = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any] | None]]


def lifespan(
    kernel: Source = Kernel.from_settings, inner: Lifespan | None = None
) -> Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]:
    """`Starlette(lifespan=lifespan(kernel))`, `FastAPI(lifespan=lifespan(kernel))`.

    The kernel is `request.state.kernel` and `app.state.kernel` while the application runs. `inner` is the
    lifespan that the application has besides: it runs within, and finds the kernel in `app.state`. When the kernel
    cannot start, the server does not: it ends with one sentence.
    """

    @asynccontextmanager
    async def within(app: Any) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            try:
                made = await stack.enter_async_context(started(kernel))
            except GalvoError as error:
                Refusal(error).install()
                raise error.with_traceback(None) from None
            app.state.kernel = made
            stack.callback(app.state.__delattr__, "kernel")
            more = await stack.enter_async_context(inner(app)) if inner is not None else None
            yield {**(more or {}), "kernel": made}

    return within
