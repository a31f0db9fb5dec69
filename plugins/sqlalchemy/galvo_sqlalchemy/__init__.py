"""SQLAlchemy 2 on galvo: the dialect `postgresql+galvo`."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from galvo import Kernel

__all__ = ["engine_on"]


def engine_on(kernel: Kernel, **options: Any) -> AsyncEngine:
    """An engine on `kernel`, which runs as long as the engine is used, and on its pool.

    `options` are those of SQLAlchemy's `create_async_engine`. An engine with a pool of its own is that of a URL:
    `create_async_engine("postgresql+galvo://user:password@host/database")`.
    """
    if not isinstance(kernel, Kernel):
        raise TypeError(f"kernel is expected to be a galvo.Kernel that runs, got {type(kernel).__name__}")
    connect_args = {**options.pop("connect_args", {}), "kernel": kernel}
    return create_async_engine("postgresql+galvo://", connect_args=connect_args, **options)
