"""Putting a pool in asyncpg's place, in the process that runs asyncpg's tests."""

from __future__ import annotations

import types
from typing import Any

import asyncpg
from asyncpg import _testbase

from tests.asyncpg_suite.variants import Variant


def put_in_place(variant: Variant) -> None:
    """Everything by which the tests make a pool makes one of `variant`."""
    stock = asyncpg.Pool
    first, *others = _testbase.ClusterTestCase.create_pool.__defaults__
    assert first is _testbase.create_pool.__kwdefaults__["pool_class"] is stock, "this asyncpg is arranged differently"
    _testbase.create_pool.__kwdefaults__["pool_class"] = variant.pool_class
    _testbase.ClusterTestCase.create_pool.__defaults__ = (variant.pool_class, *others)
    asyncpg.create_pool = asyncpg.pool.create_pool = variant.create_pool


def put_into_module(module: Any, variant: Variant) -> None:
    """Subclasses of `pool.Pool` that a test module declares are of `variant`; asyncpg itself stays as it is."""
    if getattr(module, "pg_pool", None) is asyncpg.pool:
        module.pg_pool = view = types.ModuleType("asyncpg.pool")
        vars(view).update(vars(asyncpg.pool), Pool=variant.pool_class)


def lend(variant: Variant) -> None:
    """A connection of a ConnectedTestCase is lent from a pool of its own, of size 1."""
    opened: list[asyncpg.Pool] = []
    tear_down = _testbase.ConnectedTestCase.tearDown

    async def connect(cls: Any, **kwargs: Any) -> Any:
        options = cls.get_connection_spec(kwargs)
        pool = _testbase.create_pool(pool_class=variant.pool_class, min_size=1, max_size=1, loop=cls.loop, **options)
        opened.append(pool)
        await pool
        connection = await pool.acquire()
        connection.__class__ = _owning(type(connection))
        return connection

    def close_all(self: Any) -> None:
        self._pools += opened  # asyncpg's tearDown terminates them
        opened.clear()
        tear_down(self)

    _testbase.ConnectedTestCase.connect = classmethod(connect)
    _testbase.ConnectedTestCase.tearDown = close_all


def _owning(proxy: type) -> type:
    """`proxy` with an end like that of a connection of one's own: its pool ends with it, and twice is fine."""

    def is_closed(self: Any) -> bool:
        return self._con is None or self._con.is_closed()

    async def close(self: Any, *, timeout: float | None = None) -> None:
        pool = self._holder._pool
        try:
            if self._con is not None:
                await proxy.close(self, timeout=timeout)
        except BaseException:
            pool.terminate()
            raise
        await pool.close()

    def terminate(self: Any) -> None:
        pool = self._holder._pool
        if self._con is not None:
            proxy.terminate(self)
        pool.terminate()

    methods = {"__slots__": (), "is_closed": is_closed, "close": close, "terminate": terminate}
    return type(proxy)(proxy.__name__, (proxy,), methods)
