"""Why a pool could not be opened, in one sentence that never shows a password."""

from __future__ import annotations

import socket
from urllib.parse import parse_qs, urlsplit

import asyncpg


def connect_failure(url: str, error: BaseException) -> str:
    """`error` from connecting to `url`, with what to change."""
    where = place(url)
    url_key = "url under [pool] (or GALVO_POOL__URL)"
    change = f"set {url_key}, or start the server"
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return f"{where} has no such database: create it, or change the name at the end of {url_key}"
    if isinstance(error, (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
        return f"{where} refused the user or password in {url_key}"
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return f"{where} has no connections left: lower min_size under [pool], or raise its max_connections"
    if isinstance(error, socket.gaierror):
        return f"the host of {where} is unknown: check {url_key}"
    if isinstance(error, TimeoutError):
        return f"{where} did not answer within connect_timeout: {change}"
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return f"nothing listens at {where}: {change}"
    if isinstance(error, FileNotFoundError):
        return f"no server socket at {where}: {change}"
    if isinstance(error, ConnectionError):
        return f"what listens at {where} does not speak PostgreSQL's protocol: {change}"
    if isinstance(error, (ValueError, OverflowError, asyncpg.InterfaceError)) and not _spelled(url):
        # Its parser quotes what it stumbles over, and that may be a piece of the password.
        return (
            f"{url_key} must look like postgresql://user:password@host:5432/database; "
            "write special characters in the password as %XX"
        )
    return f"cannot connect to {where}: {type(error).__name__}: {' '.join(str(error).split())}"


def _spelled(url: str) -> bool:
    """Whether `url` can be read as a PostgreSQL URL in one way only."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for a port that is none
    except ValueError:
        return False
    return parts.scheme in ("postgres", "postgresql") and "@" not in f"{parts.path}{parts.query}{parts.fragment}"


def place(url: str) -> str:
    """Host, port and database of `url`, and nothing else of it."""
    if not _spelled(url):
        return "the given URL"
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
    port = f":{parts.port}" if parts.port else ""
    return f"{host}{port}{parts.path}"
