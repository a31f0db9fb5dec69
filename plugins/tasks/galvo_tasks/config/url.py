"""Addresses of servers, as settings name them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

SECRET = re.compile(r"([?&][^=&]*pass[^=&]*=)[^&]*", re.IGNORECASE)


def masked(url: str) -> str:
    """Without passwords, also where it is no URL that anybody can read."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "", url
    credentials, at, place = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    return SECRET.sub(r"\1**", f"{scheme}{mark}{user}{f'{colon}**' if colon else ''}{at}{place}")


def readable(url: str) -> str:
    """The same. Raises ValueError, without what is secret in it."""
    query = url.partition("?")[2]
    if any(name.lower() == "password" for name, _ in parse_qsl(query, keep_blank_values=True)):
        raise ValueError(
            "password in the query is shown by whatever shows the address, and kombu does not know it: write "
            "redis://:PASSWORD@host or unix://:PASSWORD@/path"
        )
    return url
