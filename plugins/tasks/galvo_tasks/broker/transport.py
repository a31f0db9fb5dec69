"""Kombu's transport of Redis with galvo's channels: `galvo://`, `galvos://` (TLS) and `galvo+socket://`."""

from __future__ import annotations

import redis
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu
from redis.exceptions import OutOfMemoryError, ReadOnlyError

from galvo_tasks.broker.address import SCHEME
from galvo_tasks.broker.channel import Channel


class Transport(kombu.Transport):
    Channel = Channel
    implements = kombu.Transport.implements.extend(batch_publish=False)
    supports_batch_publish = False
    connection_errors = (*kombu.Transport.connection_errors, ReadOnlyError, OutOfMemoryError)
    """Also what passes: a replica that takes over, or a server that is full, ends no worker."""


class SecureChannel(Channel):
    """Redis' certificate must be valid unless the URL says otherwise (ssl_cert_reqs and the like)."""

    connection_class = redis.SSLConnection


class SecureTransport(Transport):
    Channel = SecureChannel


def register() -> None:
    """Make the URLs known to kombu."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
    TRANSPORT_ALIASES[f"{SCHEME}s"] = f"{__name__}:SecureTransport"
