"""What a subject has open until it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager


@asynccontextmanager
async def resources() -> AsyncIterator[AsyncExitStack]:
    """An exit stack that passes errors on as they are: coredis and task groups wrap them in groups."""
    try:
        async with AsyncExitStack() as stack:
            yield stack
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None
