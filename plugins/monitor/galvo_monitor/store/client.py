"""The client of the Redis through which processes share their numbers: it waits for nobody."""

from __future__ import annotations

from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from galvo_monitor.errors import MonitorProblem


def client_of(url: str, *, timeout: float = 1.0) -> Redis:
    """It does not connect yet. `timeout`: seconds that connecting and each answer may take.

    Raises MonitorProblem, which never repeats the URL.
    """
    try:
        parts = urlsplit(url)
        database = parts.path.strip("/") if parts.scheme != "unix" else ""
        if database and not database.isdigit():  # redis-py would use another database
            raise ValueError
        client: Redis = Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            # Both send CLIENT commands, which some hosted servers block.
            driver_info=None,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
        client.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # a wrong parameter raises here
    except Exception as error:  # noqa: BLE001  # redis-py's own texts may quote the URL, and so would a traceback
        problem = type(error).__name__
    else:
        return client
    raise MonitorProblem(
        f"redis under [monitor] is not usable ({problem}): redis://host:port/db, rediss:// for TLS, or unix:///path"
    )
