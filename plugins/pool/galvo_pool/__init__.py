"""Runs queries on PostgreSQL through asyncpg; the innermost plugin of the chain."""

from galvo_pool.plugin import PoolPlugin
from galvo_pool.settings import PoolSettings

__all__ = ["PoolPlugin", "PoolSettings"]
