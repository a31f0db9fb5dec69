"""Answers queries from memory when, and only when, the answer is provably current."""

from galvo_cache.plugin import CachePlugin
from galvo_cache.settings import CacheSettings

__all__ = ["CachePlugin", "CacheSettings"]
