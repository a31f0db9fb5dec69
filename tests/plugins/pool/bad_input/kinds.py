"""The pools that are compared: asyncpg's, ours, and ours with a kernel; and what calls raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin, create_pool

KINDS = pytest.mark.parametrize("kind", ["chained", "plain"])

CALLS: dict[str, Callable[[Any], Any]] = {
    "acquire": lambda pool: pool.acquire(),
    "fetch": lambda pool: pool.fetch("select 1"),
    "fetchval": lambda pool: pool.fetchval("select 1"),
    "execute": lambda pool: pool.execute("select 1"),
    "executemany": lambda pool: pool.executemany("select $1", [("1",)]),
    "expire": lambda pool: pool.expire_connections(),
    "close": lambda pool: pool.close(),
}


def kernel(kind: str) -> Kernel | None:
    return Kernel.of({CachePlugin: {}, PoolPlugin: {}}) if kind == "chained" else None


def made(dsn: str, kind: str, **keywords: Any) -> Any:
    if kind == "asyncpg":
        return asyncpg.create_pool(dsn, **keywords)
    return create_pool(dsn, kernel=kernel(kind), **keywords)


async def outcome(call: Callable[[], Any]) -> BaseException:
    try:
        async with call():
            pass
    except Exception as error:
        return error
    pytest.fail("it opened")


async def raised(call: Callable[[], Any]) -> tuple[type, str] | None:
    try:
        await call()
    except Exception as error:
        return type(error), str(error)
    return None
