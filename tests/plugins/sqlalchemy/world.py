"""A small shop as the ORM sees it, and kernels that tell which statements leave the cache."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import enum
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import ARRAY, ForeignKey, Interval, LargeBinary, Numeric, String
from sqlalchemy.dialects.postgresql import INET, INT4RANGE, JSON, JSONB, Range
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from galvo import Kernel, Plugin, Proceed, Query, Rows, hookimpl
from galvo_cache import CachePlugin
from galvo_pool import PoolPlugin
from galvo_pool.lend import RUNNING
from galvo_sqlalchemy import engine_on


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shop"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String, unique=True)
    items: Mapped[list[Item]] = relationship(back_populates="shop", order_by="Item.id", cascade="all, delete-orphan")


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    name: Mapped[str]
    stock: Mapped[int] = mapped_column(default=0)
    shop: Mapped[Shop] = relationship(back_populates="items")


class Size(enum.Enum):
    small = "s"
    large = "l"


class Everything(Base):
    """One column of each type with ways of its own."""

    __tablename__ = "everything"
    id: Mapped[int] = mapped_column(primary_key=True)
    exact: Mapped[decimal.Decimal] = mapped_column(Numeric(12, 4))
    near: Mapped[float]
    size: Mapped[Size]
    at: Mapped[dt.datetime]
    day: Mapped[dt.date]
    took: Mapped[dt.timedelta] = mapped_column(Interval)
    key: Mapped[uuid.UUID]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    plain: Mapped[Any] = mapped_column(JSON)
    binary: Mapped[Any] = mapped_column(JSONB)
    many: Mapped[list[Any]] = mapped_column(ARRAY(JSONB))
    tags: Mapped[list[str]] = mapped_column(ARRAY(String))
    span: Mapped[Range[int]] = mapped_column(INT4RANGE)
    host: Mapped[Any] = mapped_column(INET)


class Passed(Plugin):
    """Between the cache and the pool: what it hears reaches the server."""

    name = "passed"

    def __init__(self, settings: Any, context: Any) -> None:
        super().__init__(settings, context)
        self.statements: list[str] = []
        self._news = asyncio.Event()

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if not query.origin:
            self.statements.append(query.sql)
            self._news.set()
        return await proceed(query)

    async def hears(self, part: str) -> None:
        """Wait for a statement with this in it."""
        while not any(part in sql for sql in self.statements):
            self._news.clear()
            await self._news.wait()


class World:
    def __init__(self, kernel: Kernel, engine: AsyncEngine) -> None:
        self.kernel, self.engine = kernel, engine
        self.passed: Passed = kernel.supervisor.units["passed"].plugin  # type: ignore[assignment]  # it runs

    def session(self, **options: Any) -> AsyncSession:
        return AsyncSession(self.engine, **options)

    @property
    def hits(self) -> int:
        return int(self.kernel.plugin_stats("cache")["hits"])

    @property
    def lent(self) -> int:
        """Connections that an application has; what plugins ask takes one for a moment, too."""
        pool = self.kernel.find_capability("pool")._pool()
        return sum(holder._in_use not in (None, RUNNING) for holder in pool._holders)

    def sent(self) -> list[str]:
        """The first word of what has reached the server since the last call."""
        statements, self.passed.statements = self.passed.statements, []
        return [word(sql) for sql in statements]


def word(sql: str) -> str:
    return sql.split()[0].rstrip(";")


@asynccontextmanager
async def world(
    dsn: str, *, tables: bool = True, pool: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[World]:
    """The shop's tables, in a kernel with a cache."""
    async with Kernel.of(
        {CachePlugin: {}, Passed: {}, PoolPlugin: {"url": dsn, "max_size": 4, **(pool or {})}}
    ) as kernel:
        engine = engine_on(kernel, **options)
        if tables:
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
        made = World(kernel, engine)
        made.sent()
        yield made
        await engine.dispose()
