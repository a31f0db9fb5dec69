"""What `galvo doctor` says of the Redis that processes share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import RedisCluster
from redis.exceptions import RedisError

from galvo import Finding
from galvo.sizes import show

HERE = ("localhost", "127.0.0.1", "::1")
EVICTS = "allkeys-lru"


async def checkup(url: str, client: Any) -> list[Finding]:
    """Of the server at `url`, which is not told: it may hold a password."""
    if not url:
        return [Finding("Redis", "none: right for one process; several need one (redis under [cache])")]
    try:
        node = {"target_nodes": RedisCluster.RANDOM} if isinstance(client, RedisCluster) else {}
        facts = await client.info(**node)
    except (RedisError, OSError, TimeoutError) as error:
        advice = f"start it, or correct redis under [cache]: no answer is kept without it ({type(error).__name__})"
        return [Finding("Redis", "does not answer", "problem", advice), *way(url)]
    return [Finding("Redis", f"{facts.get('redis_version', 'of unknown version')}"), *way(url), *room(facts)]


def way(url: str) -> Iterator[Finding]:
    """Who may read and change what travels to it."""
    parts = urlsplit(url)
    if parts.scheme == "unix" or parts.hostname in HERE:
        yield Finding("way to Redis", "stays on this machine")
    elif parts.scheme.startswith("rediss"):
        yield Finding("way to Redis", "encrypted (TLS)")
    else:
        advice = f"write {parts.scheme.replace('redis', 'rediss', 1)}:// in redis under [cache], and let Redis have TLS"
        yield Finding("way to Redis", "over the network, and not encrypted", "advice", advice)


def room(facts: Mapping[str, Any]) -> Iterator[Finding]:
    """What happens when it is full."""
    most, policy = int(facts.get("maxmemory", 0)), str(facts.get("maxmemory_policy", "unknown"))
    used = show(int(facts.get("used_memory", 0)))
    if not most:
        advice = f"set maxmemory and maxmemory-policy {EVICTS} in redis.conf, if it keeps nothing else"
        yield Finding("its memory", f"{used} used, without a limit", "advice", advice)
    elif policy == "noeviction":
        advice = f"set maxmemory-policy {EVICTS} in redis.conf, if it keeps nothing else: once full it refuses to write"
        yield Finding("its memory", f"{used} of {show(most)} used, {policy}", "advice", advice)
    else:
        yield Finding("its memory", f"{used} of {show(most)} used, {policy}")
