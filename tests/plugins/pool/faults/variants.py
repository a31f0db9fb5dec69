"""The pools that must behave alike: without a kernel, with the pool alone in it, and with the cache before it."""

from __future__ import annotations

import os
from typing import Any

from galvo import Kernel
from galvo_cache import CachePlugin
from galvo_pool import Pool, PoolPlugin, create_pool

VARIANTS = ("no kernel", *["pool alone"] * ("GALVO_FAULT_SECONDS" in os.environ), "cache and pool")
"""The middle one in long runs only: what it does, the third does as well."""
NAME = "faulty"
"""Its connections' application_name."""


def kernel(variant: str) -> Kernel | None:
    """One that does not run yet."""
    plugins: dict[str, dict[type, dict[str, Any]]] = {
        "pool alone": {PoolPlugin: {}},
        "cache and pool": {CachePlugin: {}, PoolPlugin: {}},
    }
    return Kernel.of(plugins[variant]) if variant in plugins else None


def pooled(dsn: str, variant: str | Kernel = "no kernel", **options: Any) -> Pool:
    return create_pool(
        dsn,
        kernel=kernel(variant) if isinstance(variant, str) else variant,
        **{"min_size": 1, "max_size": 4, "server_settings": {"application_name": NAME}, **options},
    )
