"""The way to one Redis server: dials when it is first needed, and again after a loss."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import SentinelConnectionPool

from galvo_cache.l2.errors import Unavailable
from galvo_cache.l2.wire import Done, ErrorReply, Reply, Wire, pack

Item = tuple[bytes, bytes, int]
"""Key, value, milliseconds to live."""


class Link(Protocol):
    """What the coalescer needs of a server or a cluster. `done` is called later, once, with a reply per key."""

    @property
    def ready(self) -> bool: ...
    def dial(self) -> None: ...
    def get(self, keys: Sequence[bytes], limit: int, done: Done) -> None: ...
    def lengths(self, keys: Sequence[bytes], done: Done) -> None: ...
    def set(self, items: Sequence[Item], done: Done) -> None: ...
    def abort(self, error: Exception) -> None: ...
    async def aclose(self) -> None: ...
    def watch(self, ready: Callable[[], None], failed: Callable[[Exception], None]) -> None:
        """`ready` is called when it can take more, `failed` when dialling did not succeed."""


class ServerLink:
    """One shared connection to a standalone server, or to the master that the sentinels name."""

    def __init__(self, client: Redis, *, connect_timeout: float = 0.5) -> None:
        """`connect_timeout`: seconds for the connection, TLS and login together."""
        self._client, self._connect_timeout = client, connect_timeout
        self._wire: Wire | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._ready: Callable[[], None] = lambda: None
        self._failed: Callable[[Exception], None] = lambda error: None
        self._closed = False

    def watch(self, ready: Callable[[], None], failed: Callable[[Exception], None]) -> None:
        self._ready, self._failed = ready, failed

    @property
    def ready(self) -> bool:
        return self._wire is not None and self._wire.open and not self._wire.congested

    def dial(self) -> None:
        """Connect in the background, unless that is under way or the connection stands and is only congested."""
        if self._wire is None and self._dialling is None and not self._closed:
            self._dialling = asyncio.get_running_loop().create_task(self._dial())

    def get(self, keys: Sequence[bytes], limit: int, done: Done) -> None:
        def one(reply: list[Reply] | Exception) -> None:
            values = reply if isinstance(reply, Exception) else reply[0]
            if isinstance(values, list) and len(values) != len(keys):
                values = Unavailable("the server answered another number of values")
                self.abort(values)
            done(values if isinstance(values, list | Exception) else Unavailable("the server did not answer a list"))

        self._send(pack((b"MGET", *keys)), 1, limit, one)

    def lengths(self, keys: Sequence[bytes], done: Done) -> None:
        self._send(b"".join([pack((b"STRLEN", key)) for key in keys]), len(keys), 1 << 16, done)

    def set(self, items: Sequence[Item], done: Done) -> None:
        def all_of_them(replies: list[Reply] | Exception) -> None:
            done(replies)
            if any(isinstance(reply, ErrorReply) and str(reply).startswith("READONLY") for reply in _list(replies)):
                self.abort(Unavailable("the server has become a replica"))  # the next dial asks the sentinels again

        commands = [pack((b"SET", key, value, b"PX", ttl)) for key, value, ttl in items]
        self._send(commands, len(items), 1 << 16, all_of_them)

    def abort(self, error: Exception) -> None:
        if self._wire is not None:
            self._wire.abort(error)
            self._wire = None

    async def aclose(self) -> None:
        """Close the connection; what is under way fails. The client itself belongs to whoever made it."""
        self._closed = True
        if self._dialling is not None:
            self._dialling.cancel()
            await asyncio.wait([self._dialling])
        self.abort(Unavailable("the connection to Redis was closed"))

    def _send(self, data: bytes | list[bytes], replies: int, limit: int, done: Done) -> None:
        wire = self._wire
        if wire is None or not wire.open:
            asyncio.get_running_loop().call_soon(done, Unavailable("there is no connection to Redis"))
        else:
            wire.send(data, replies, limit, done)

    def _lost(self, wire: Wire) -> None:
        if self._wire is wire:
            self._wire = None
        if not self._closed:
            self._ready()  # what is queued dials again

    async def _dial(self) -> None:
        try:
            async with asyncio.timeout(self._connect_timeout):
                wire = await _connected(self._client, self._lost, self._ready)
                if not wire.open:  # it was lost before anybody knew it
                    raise Unavailable("the connection to Redis was closed")
                self._wire = wire
        except Exception as error:  # noqa: BLE001  # DNS, TLS, login, sentinels: all mean that Redis is not there
            self._dialling = None
            self._failed(Unavailable(f"cannot connect to Redis ({type(error).__name__})"))
        else:
            self._dialling = None
            self._ready()


async def _connected(client: Redis, lost: Callable[[Wire], None], ready: Callable[[], None]) -> Wire:
    """A connection that is logged in, with the addresses and secrets of the client's pool."""
    loop = asyncio.get_running_loop()
    pool = client.connection_pool
    wanted: Any = pool.make_connection()  # type: ignore[no-untyped-call]
    wire = Wire(lost, ready)
    if isinstance(wanted, UnixDomainSocketConnection):
        await loop.create_unix_connection(lambda: wire, wanted.path)
    else:
        host, port = wanted.host, wanted.port
        if isinstance(pool, SentinelConnectionPool):
            host, port = await pool.get_master_address()  # type: ignore[no-untyped-call]
        tls = wanted.ssl_context.get() if isinstance(wanted, SSLConnection) else None
        await loop.create_connection(lambda: wire, host, port, ssl=tls)
    try:
        await _log_in(wire, wanted)
    except BaseException:
        wire.abort(Unavailable("the login did not succeed"))
        raise
    return wire


async def _log_in(wire: Wire, wanted: Any) -> None:
    """AUTH and SELECT as the pool has them. RESP 2 is enough for strings, and every server speaks it."""
    commands: list[bytes] = []
    if wanted.credential_provider is not None:
        commands.append(_packed("AUTH", *await wanted.credential_provider.get_credentials_async()))
    elif wanted.username or wanted.password:
        commands.append(_packed("AUTH", *filter(None, (wanted.username, wanted.password or ""))))
    if wanted.db:
        commands.append(_packed("SELECT", str(wanted.db)))
    if not commands:
        return
    answered: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()

    def done(replies: list[Reply] | Exception) -> None:
        if answered.done():
            return
        wrong = [reply for reply in _list(replies) if reply != b"OK"]
        if wrong:
            answered.set_exception(wrong[0] if isinstance(wrong[0], Exception) else Unavailable("not Redis"))
        else:
            answered.set_result(_list(replies))

    wire.send(commands, len(commands), 1 << 16, done)
    await answered


def _packed(*words: str) -> bytes:
    return pack(tuple(word.encode() for word in words))


def _list(replies: list[Reply] | Exception) -> list[Reply]:
    return replies if isinstance(replies, list) else [replies]
