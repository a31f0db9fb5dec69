"""Addresses of servers, as settings name them."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import parse_qsl, urlsplit

ON_SOCKETS = ("unix", "redis+socket")
REDIS = ("redis", "rediss", *ON_SOCKETS)
RABBITMQ = ("amqp", "amqps", "pyamqp")
"""Schemes."""
SECRET = re.compile(r"([?&][^=&]*pass[^=&]*=)[^&]*", re.IGNORECASE)


def masked(url: str) -> str:
    """Without passwords, also where it is no URL that anybody can read."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "", url
    credentials, at, place = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    return SECRET.sub(r"\1**", f"{scheme}{mark}{user}{f'{colon}**' if colon else ''}{at}{place}")


def checked(url: str, schemes: Collection[str], *others: str) -> str:
    """The same, if it is one of `others` or has one of the schemes. Raises ValueError, without what is secret."""
    if url in others:
        return url
    scheme, mark, _ = url.partition("://")
    if "sentinel" in scheme:
        raise ValueError("is of Redis Sentinel, which is not supported: name the master, or a proxy that follows it")
    if not mark or scheme not in schemes:
        raise ValueError(f"is no address of a server: write {', '.join(f'{one}://' for one in schemes)}")
    try:
        parts = urlsplit(url)
        there = parts.path if scheme in ON_SOCKETS else parts.port != 0
    except ValueError:
        raise ValueError(
            "cannot be read: in user and password write % and two hexadecimal digits for / ? # @"
        ) from None
    if not there:
        raise ValueError("names no place: write unix:///path" if scheme in ON_SOCKETS else "port 0 is none")
    if any(name.lower() == "password" for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError(
            "password in the query is shown by whatever shows the address, and kombu does not know it: write "
            "redis://:PASSWORD@host or unix://:PASSWORD@/path"
        )
    return url
