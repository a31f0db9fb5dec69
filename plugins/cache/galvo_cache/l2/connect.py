"""A redis-py client for each kind of URL, with short timeouts and without retries that hide time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

Client = Redis | RedisCluster
SCHEMES = "redis://, rediss://, unix://, redis+sentinel://, rediss+sentinel://, redis+cluster://, rediss+cluster://"
_PLAIN = ("redis", "rediss", "unix")
_SPREAD = ("redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")


def client_of(
    url: str, *, timeout: float = 0.05, connect_timeout: float = 0.5, options: Mapping[str, Any] | None = None
) -> Client:
    """A client for `url`; it does not connect yet.

    `redis://[user:password@]host:port/db`, `rediss://` for TLS, `unix:///path?db=0`,
    `redis+sentinel://host:port,host:port/service?db=0`, `redis+cluster://host:port,host:port`. Query parameters are
    redis-py's own (`protocol=2`, `ssl_ca_certs=...`). `timeout` and `connect_timeout` are seconds; `options` are
    redis-py's keyword arguments and win over the defaults here, the URL wins over both. The user and password of a
    sentinel URL are those of Redis; `sentinel_username` and `sentinel_password` those of the sentinels.
    Raises ValueError, which never repeats the URL.
    """
    kwargs = _defaults(timeout, connect_timeout) | dict(options or {})
    try:
        scheme = urlsplit(url).scheme
        if scheme in _PLAIN:
            client: Redis = Redis.from_url(_checked(url), **kwargs)
            client.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # a wrong parameter raises here
            return client
        if scheme in _SPREAD:
            nodes, given = _spread(url)
            build = _sentinel if scheme.endswith("sentinel") else _cluster
            return build(nodes, kwargs | given, urlsplit(url).path.strip("/"))
    except Exception as error:  # noqa: BLE001  # redis-py's own texts may quote the URL, and so would a traceback
        problem = str(error) if isinstance(error, _Problem) else f"redis-py refuses it ({type(error).__name__})"
    else:
        problem = f"its scheme is none of {SCHEMES}"
    raise ValueError(f"the URL of Redis is not usable: {problem}")


async def close(client: Client) -> None:
    """Close a client of `client_of`, with its connections to the sentinels, which redis-py leaves open."""
    await client.aclose()
    if isinstance(client, Redis) and isinstance(client.connection_pool, SentinelConnectionPool):
        for sentinel in client.connection_pool.sentinel_manager.sentinels:
            await sentinel.aclose()


class _Problem(ValueError):
    """What is wrong with a URL, in words that hold nothing of it."""


def _defaults(timeout: float, connect_timeout: float) -> dict[str, Any]:
    return {
        "socket_timeout": timeout,
        "socket_connect_timeout": connect_timeout,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": False,
        # Both send CLIENT commands, which some hosted servers block, and cost a round trip.
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        if not parts.path:
            raise _Problem("unix:// needs a path, as in unix:///run/redis.sock")
        return url
    _ = parts.port  # raises for what is no number
    name = parts.path.strip("/")
    if name and not name.isdigit():
        raise _Problem("its path must be the number of a database, as in redis://host:6379/0")
    return url


def _spread(url: str) -> tuple[list[tuple[str, int]], dict[str, Any]]:
    """The nodes and redis-py's arguments of a URL that names several hosts."""
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    nodes = [_node(host) for host in hosts.split(",") if host]
    if not nodes:
        raise _Problem("it names no host")
    plain = parts.scheme.partition("+")[0]
    # redis-py's own parser for the rest, with a host it accepts.
    given: dict[str, Any] = dict(parse_url(f"{plain}://{login}@host?{parts.query}"))
    for name in ("host", "port", "connection_class"):
        given.pop(name, None)
    return nodes, given | ({"ssl": True} if plain == "rediss" else {})


def _node(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise _Problem("a host is missing")
    return parts.hostname, parts.port or 0


def _sentinel(nodes: list[tuple[str, int]], kwargs: dict[str, Any], service: str) -> Client:
    if not service or "/" in service:
        raise _Problem("a sentinel URL ends in the service's name, as in redis+sentinel://host:26379/service")
    login = {name: kwargs.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    inherited = {name: value for name, value in kwargs.items() if name not in ("db", "username", "password")}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        [(host, port or 26379) for host, port in nodes], sentinel_kwargs=inherited | login, **kwargs
    )
    client: Redis = sentinel.master_for(service)
    return client


def _cluster(nodes: list[tuple[str, int]], kwargs: dict[str, Any], path: str) -> Client:
    if path not in ("", "0") or kwargs.get("db"):
        raise _Problem("a cluster has database 0 only")
    kwargs.pop("db", None)
    return RedisCluster(
        startup_nodes=[ClusterNode(host, port or 6379) for host, port in nodes],
        **kwargs,
    )
