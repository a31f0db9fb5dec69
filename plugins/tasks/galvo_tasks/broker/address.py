"""The broker's address, as each library writes it."""

from __future__ import annotations

SCHEME = "galvo"
_OURS = {"redis://": f"{SCHEME}://", "rediss://": f"{SCHEME}s://", "unix://": f"{SCHEME}+socket://"}


def kombu_url(broker: str) -> str:
    """The URL by which kombu uses galvo's transport; what is not for Redis stays as it is."""
    broker = broker.replace("redis+socket://", "unix://", 1)
    for theirs, ours in _OURS.items():
        if broker.startswith(theirs):
            return ours + broker.removeprefix(theirs)
    return broker


def redis_url(broker: str) -> str:
    """The URL that redis-py understands, of the `broker_url` of a configured application."""
    broker = broker.replace("redis+socket://", "unix://", 1)
    for theirs, ours in _OURS.items():
        if broker.startswith(ours):
            return theirs + broker.removeprefix(ours)
    return broker
