"""Runs queries on PostgreSQL through asyncpg: the innermost plugin of the chain, and a drop-in for asyncpg's pool."""

from galvo_pool.chained import ChainedPool as Pool
from galvo_pool.create import create_pool
from galvo_pool.errors import PoolBusy
from galvo_pool.plugin import PoolPlugin
from galvo_pool.settings import PoolSettings

__all__ = ["Pool", "PoolBusy", "PoolPlugin", "PoolSettings", "create_pool"]
