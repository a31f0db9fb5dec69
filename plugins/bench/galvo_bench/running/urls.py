"""Servers that were named on the command line: whether they answer, and what may be shown of their addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg

from galvo_bench.results.usage import Usage

SECONDS = 10.0
"""That a server has to answer."""


def shown(url: str) -> str:
    """Scheme, host, port and path: no user, no password, no parameters."""
    parts = _parts(url)
    if parts is None:
        return "URL"
    scheme, host, port, path = parts
    return f"{scheme}://{host}{f':{port}' if port else ''}{path}"


def scrubbed(text: str, *urls: str) -> str:
    """Without what these URLs keep secret: some libraries quote them when they fail."""
    for url in filter(None, urls):
        text = text.replace(url, shown(url))
        for secret in sorted(_secrets(url), key=len, reverse=True):
            text = text.replace(secret, "***")
    return text


async def must_answer(url: str) -> None:
    """That a PostgreSQL does. Raises Usage without the password."""
    where = shown(url)
    if not url.startswith(("postgres://", "postgresql://")) or where == "URL":
        raise Usage("--url must look like postgresql://user:password@host:5432/database (%XX for what is special)")
    try:
        connection = await asyncpg.connect(url, timeout=SECONDS)
    except Exception as error:  # noqa: BLE001  # whatever a driver raises for a server that is not there
        said = _why(error) or scrubbed(f"{type(error).__name__}: {' '.join(str(error).split())}", url)
        raise Usage(f"no PostgreSQL at {where} ({said}): change --url, or leave it out to use a private one") from None
    await connection.close()


async def must_listen(url: str) -> None:
    """That something does where a RabbitMQ should be. Raises Usage without the password."""
    where, parts = shown(url), _parts(url)
    if parts is None or parts[0] not in ("amqp", "amqps"):
        raise Usage("--amqp must look like amqp://user:password@host:5672/vhost (%XX for what is special)")
    scheme, host, port, _ = parts
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host, port or (5671 if scheme == "amqps" else 5672))
    except OSError as error:
        said = _why(error) or error.strerror or type(error).__name__
        raise Usage(f"no RabbitMQ at {where} ({said}): change --amqp, or leave it out") from None
    writer.close()


def _why(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "the host is unknown"
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:g} s"
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "nothing listens there"
    if isinstance(error, asyncpg.InvalidPasswordError | asyncpg.InvalidAuthorizationSpecificationError):
        return "it refuses the user or the password"
    return ""


def _parts(url: str) -> tuple[str, str, int | None, str] | None:
    """None when it can be read in more than one way, so that a password may be anywhere in it."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme and "@" not in f"{parts.path}{parts.query}{parts.fragment}":
            host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "localhost")
            return parts.scheme, host, parts.port, parts.path
    return None


def _secrets(url: str) -> Iterator[str]:
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.password:
            yield from {parts.password, unquote(parts.password)}
        yield from (value for name, value in parse_qsl(parts.query) if "password" in name)
