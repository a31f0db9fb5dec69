"""The dialect `postgresql+galvo`: SQLAlchemy's for asyncpg, with galvo's pool and chain below it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool, Pool

from galvo_sqlalchemy import private
from galvo_sqlalchemy.connection import Connection
from galvo_sqlalchemy.dbapi import Module
from galvo_sqlalchemy.values import Values


class GalvoPool(NullPool):
    """Keeps nothing: the connections are galvo's pool's, of which the options of a QueuePool tell the size."""

    def __init__(
        self,
        creator: Any,
        pool_size: int | None = None,
        max_overflow: int | None = None,
        timeout: float | None = None,
        use_lifo: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(creator, **options)
        sizes: dict[str, Any] = {}
        if pool_size is not None or max_overflow is not None:
            size, more = 5 if pool_size is None else pool_size, 10 if max_overflow is None else max_overflow
            sizes["max_size"] = size + more if size and more >= 0 else "auto"
        if timeout is not None:
            sizes["acquire_timeout"] = timeout
        if self._recycle > 0:
            sizes["max_lifetime"] = self._recycle
        if sizes:
            self._dialect.dbapi.sizes = sizes  # type: ignore[union-attr]  # ours

    def status(self) -> str:
        return "GalvoPool"


class GalvoDialect(private.Dialect):  # type: ignore[misc]  # see `private`
    """Everything about SQL and types is asyncpg's dialect's."""

    driver = "galvo"
    supports_statement_cache = True
    dbapi: Module

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.dbapi is not None:
            self.dbapi.values = Values(
                self._json_deserializer or json.loads, native_inet=self._native_inet_types is not False
            )

    @classmethod
    def import_dbapi(cls) -> Module:
        return Module()

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return GalvoPool

    @classmethod
    def load_provisioning(cls) -> None:
        __import__("sqlalchemy.dialects.postgresql.provision")

    @classmethod
    def engine_created(cls, engine: Any) -> None:
        event.listen(engine, "engine_disposed", _disposed)

    def initialize(self, connection: Any) -> None:
        super().initialize(connection)
        self.dbapi.default_isolation = self.default_isolation_level

    def on_connect(self) -> Callable[[Any], None] | None:
        """asyncpg's dialect sets codecs here. See `values`."""
        return None

    def get_driver_connection(self, connection: Connection) -> Any:
        connection.shown = True
        lent = connection.driver.lent
        return connection.driver if lent is None else lent


def _disposed(engine: Any) -> None:
    """Its pool ends, when all that is lent is back."""
    source, engine.dialect.dbapi.source = engine.dialect.dbapi.source, None
    if source is not None:
        if private.in_greenlet():
            private.await_(source.close())
        else:
            source.abandon()
