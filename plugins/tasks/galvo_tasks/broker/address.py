"""The broker's address, as each library writes it."""

from __future__ import annotations

from collections.abc import Mapping

SCHEME = "galvo"
_SOCKET, _PLAIN_SOCKET = "unix://", "redis+socket://"
"""What redis-py, and what kombu's own transport, calls a Redis on a Unix socket."""
_OURS = {"redis://": f"{SCHEME}://", "rediss://": f"{SCHEME}s://", _SOCKET: f"{SCHEME}+socket://"}


def plain_url(broker: str) -> str:
    """The URL by which kombu uses its own transport: Celery's `broker_url`, which other programs may read."""
    return broker.replace(_SOCKET, _PLAIN_SOCKET, 1)


def kombu_url(broker: str) -> str:
    """The URL by which kombu uses galvo's transport; what is not for Redis stays as it is."""
    return _renamed(broker, _OURS)


def redis_url(broker: str) -> str:
    """The URL that redis-py understands, of the `broker_url` of a configured application."""
    return _renamed(broker, {ours: theirs for theirs, ours in _OURS.items()})


def _renamed(broker: str, names: Mapping[str, str]) -> str:
    broker = broker.replace(_PLAIN_SOCKET, _SOCKET, 1)
    for name, new in names.items():
        if broker.startswith(name):
            return new + broker.removeprefix(name)
    return broker
