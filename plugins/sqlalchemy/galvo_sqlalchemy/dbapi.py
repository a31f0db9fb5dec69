"""The DBAPI module of one engine, and what is known for all of its connections."""

from __future__ import annotations

import time
from typing import Any

import asyncpg
from sqlalchemy import exc

from galvo import Kernel
from galvo_sqlalchemy import private
from galvo_sqlalchemy.connection import Connection
from galvo_sqlalchemy.running import Described
from galvo_sqlalchemy.source import Given, Own, Source
from galvo_sqlalchemy.values import Values

DESCRIBED = 1000
"""Statements whose columns are remembered."""


class Module(private.Module):  # type: ignore[misc]  # see `private`
    """Like asyncpg's for SQLAlchemy."""

    values: Values
    """The dialect says."""

    def __init__(self) -> None:
        super().__init__(asyncpg)
        self.source: Source | None = None
        self.sizes: dict[str, Any] = {}
        """What the engine's options say of the pool."""
        self.described: dict[str, Described] = {}
        self.default_isolation: str | None = None
        """The server's, as SQLAlchemy spells it."""
        self.reloaded = time.time()
        """When asyncpg's memory of types was emptied last."""

    def connect(self, *, kernel: Any = ..., async_creator_fn: Any = None, **options: Any) -> Connection:
        """Raises ArgumentError."""
        if isinstance(self.source, Own) and self.source.lost:
            self.source = None
        own = isinstance(self.source, Own) and self.source.options.get("kernel") is kernel
        if isinstance(kernel, Kernel) and not own and (kernel.running or not options):
            return Connection(self, self._given(kernel, options))
        if kernel is not ...:
            options["kernel"] = kernel
        if async_creator_fn is not None:
            options["connect"] = lambda *_, **__: async_creator_fn()
            options.setdefault("reset", _kept)
        size = options.pop("prepared_statement_cache_size", None)
        if size is not None:
            options.setdefault("statement_cache_size", size)
        if options.pop("prepared_statement_name_func", None) is not None:
            raise exc.ArgumentError("prepared_statement_name_func has no effect here: leave it out")
        options = {"min_size": 1, **self.sizes, **options}
        if isinstance(self.source, Own):
            self.source.renew(options)
        else:
            self.source = Own(options)
        return Connection(self, self.source)

    def _given(self, kernel: Kernel, options: dict[str, Any]) -> Source:
        taken = sorted({*options, *self.sizes})
        if taken:
            raise exc.ArgumentError(
                f"the kernel's own pool makes the connections: set what {', '.join(taken)} would say under [pool], "
                "and let the URL be postgresql+galvo://"
            )
        if not isinstance(self.source, Given) or self.source.kernel is not kernel:
            self.source = Given(kernel)
        return self.source

    def remember(self, sql: str, described: Described) -> None:
        if len(self.described) >= DESCRIBED:
            self.described.clear()
        self.described[sql] = described

    def reads_committed(self, isolation: str | None) -> bool:
        """Whether each statement of such a transaction sees its own moment."""
        if isolation is None:
            return self.default_isolation in ("READ COMMITTED", "READ UNCOMMITTED")
        return isolation in ("read_committed", "autocommit")


async def _kept(connection: Any) -> None:
    """What an application's own creator has SET stays, as in SQLAlchemy's pools: they roll back, and asyncpg has."""
