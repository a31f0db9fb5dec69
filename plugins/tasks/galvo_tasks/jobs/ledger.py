"""The jobs in Redis as workers and publishers write them: from threads, without an event loop."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any
from weakref import WeakKeyDictionary

from celery import Celery
from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from galvo_tasks.jobs import layout
from galvo_tasks.jobs.address import results_url
from galvo_tasks.jobs.errors import ResultsAway
from galvo_tasks.jobs.state import State

CONNECTIONS = 4
"""For all threads of a process."""
LATER = 600.0
"""Seconds after which a key is published, at most, when its job has been announced."""


class Ledger:
    """Of one application. Each method raises ResultsAway."""

    def __init__(self, app: Celery[Any]) -> None:
        settings = app.galvo  # type: ignore[attr-defined]  # see configure
        self._app = str(app.main)
        self._ttl = round(settings.result_ttl) or 1
        self.limit: int = settings.result_bytes
        """Bytes of a result."""
        pool = BlockingConnectionPool.from_url(
            results_url(app),
            client_name="galvo-jobs",
            max_connections=CONNECTIONS,
            timeout=settings.deadline,
            socket_timeout=settings.deadline,
            socket_connect_timeout=settings.deadline,
            retry=Retry(NoBackoff(), 1),  # a connection that was closed while idle
        )
        self._client: Redis = Redis.from_pool(pool)
        register = self._client.register_script
        self._announce, self._forget = map(register, (layout.ANNOUNCE, layout.FORGET))
        self._begin, self._leave = map(register, (layout.BEGIN, layout.LEAVE))

    def announce(self, id: str, *, anew: bool = False, key: float = 0.0) -> State | None:
        """It waits; or gives the state of the one that is known already. `anew`: one that has ended is forgotten.

        `key`: seconds for which nothing is published with the same key; so long it is known at least.
        """
        known = self._run(self._announce, id, layout.UNFINISHED, int(anew), ceil(key + LATER if key else 0))
        return State(known.decode()) if known else None

    def forget(self, id: str) -> None:
        """It was not published after all."""
        self._run(self._forget, id)

    def begin(self, id: str) -> State:
        """RUNNING; or DONE or CANCELLED: do not run it."""
        return State(self._run(self._begin, id, layout.UNFINISHED, self._ttl).decode())

    def leave(self, id: str, state: State, **fields: str | float) -> State:
        """It has ended, or will be retried. Gives the state that it has: what has ended stays as it is."""
        given = [item for name, value in fields.items() for item in (name, value)]
        return State(self._run(self._leave, id, self._ttl, state, layout.UNFINISHED, *given).decode())

    def fail(self, id: str, kind: str, text: str) -> State:
        """It has failed: `kind` is the exception's name, `text` one sentence."""
        return self.leave(id, State.FAILED, kind=kind[: layout.TEXT], error=" ".join(text.split())[: layout.TEXT])

    def state(self, id: str) -> bytes | None:
        """Its state as it stands there."""
        found: Any = self._run(lambda keys, args: self._client.hget(keys[0], "state"), id)
        return found if isinstance(found, bytes) else None

    def close(self) -> None:
        self._client.close()

    def _run(self, script: Callable[..., Any], id: str, *args: Any) -> Any:
        try:
            return script(keys=[layout.key(self._app, id)], args=list(args))
        except (RedisError, OSError) as error:
            raise ResultsAway(error) from error


_LEDGERS: WeakKeyDictionary[Celery[Any], tuple[str, Ledger]] = WeakKeyDictionary()


def ledger_of(app: Celery[Any]) -> Ledger:
    """The one of this process; its connections are made anew after a fork. Raises JobProblem without a Redis."""
    url = results_url(app)
    known = _LEDGERS.get(app)
    if known is None or known[0] != url:
        known = _LEDGERS[app] = url, Ledger(app)
    return known[1]
