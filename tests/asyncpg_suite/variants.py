"""The pools under test."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

GALVO = ("none", "plain", "cache")
"""Without a kernel, on a kernel without a cache, on a kernel with one."""


@dataclass
class Variant:
    pool_class: type[asyncpg.Pool]
    create_pool: Callable[..., asyncpg.Pool]
    made: int = 0
    """How many pools the suite has made of it."""


def label(name: str) -> str:
    """A variant's name, as short as it goes."""
    return name.rpartition(":")[2]


def variant(name: str) -> Variant:
    """`stock`, one of GALVO, or `package.module:Class`, a subclass of asyncpg.Pool."""
    if name == "stock":
        return Variant(asyncpg.Pool, asyncpg.create_pool)
    if name in GALVO:
        import galvo_pool

        made = _counted(galvo_pool.Pool, lambda: {"kernel": _kernel(name)})
        made.create_pool = lambda dsn=None, **given: galvo_pool.create_pool(dsn, kernel=_kernel(name), **given)
        return made
    return _counted(pkgutil.resolve_name(name), dict)


def _counted(base: type[asyncpg.Pool], extras: Callable[[], dict[str, Any]]) -> Variant:
    class Pool(base):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.made += 1
            super().__init__(*args, **extras(), **kwargs)

    # asyncpg.create_pool adds defaults, and nothing else.
    made = Variant(Pool, functools.partial(Pool, **asyncpg.create_pool.__kwdefaults__))
    return made


def _kernel(name: str) -> Any:
    if name == "none":
        return None
    from galvo import Kernel
    from galvo_cache import CachePlugin
    from galvo_pool import PoolPlugin

    plugins = {PoolPlugin: {}} if name == "plain" else {CachePlugin: {}, PoolPlugin: {}}
    return Kernel.of(plugins)
