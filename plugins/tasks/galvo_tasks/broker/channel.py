"""Kombu's channel of Redis: publish, take and acknowledge are one step each, and nothing is lost between them.

Kombu takes by BRPOP and notes the message afterwards: a worker that is killed in between has lost it. Here the script
TAKE does both. A worker that finds nothing waits by BRPOP for a token, which publishing leaves beside the message, for
a second at most: others than galvo publish without one. What consumes without acknowledging (remote control's
answers) is served as by kombu, and so is what is sent to all (fanout).
"""

from __future__ import annotations

import contextlib
import itertools
import uuid
from queue import Empty
from time import monotonic
from typing import Any

import redis
from kombu.transport import redis as kombu
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads
from kombu.utils.objects import cached_property
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import NoScriptError, ResponseError
from redis.retry import Retry

from galvo_tasks.broker import begun
from galvo_tasks.broker.headers import DAY, KEY, KEY_TTL, key_of, without_eta
from galvo_tasks.broker.leases import UNREADABLE, Leases, leases_of
from galvo_tasks.broker.qos import QoS
from galvo_tasks.broker.scripts import PUBLISH, PUT_ASIDE, TAKE, Word, plain

PATIENCE = 2.5
"""Seconds for which Redis may not answer an acknowledgement, twice, before it is told later."""
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


_Channel: Any = kombu.Channel
"""Its stubs know little of what is overridden here; tests compare the signatures."""


class Channel(_Channel):  # type: ignore[misc]
    QoS = QoS

    from_transport_options = (*kombu.Channel.from_transport_options, "lease")
    priority_steps = tuple(range(10))
    queue_order_strategy = "priority"
    lease = 60.0

    _plain: redis.Redis | None = None
    _taking = ""
    """The delivery tag of the message that Redis was asked for, until it answers."""
    _asked: tuple[str, ...] | list[str] = ()
    """Of these queues."""
    _waits = False
    """Redis was asked for a token."""
    _patience = 0.0
    """Seconds to wait for one before looking again; 0: look now."""
    _whole = False
    """Redis does not know the script."""
    _joined = False
    supports_batch_publish = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._tags = (f"{prefix}-{number}" for prefix in (uuid.uuid4().hex,) for number in itertools.count())
        self._unacknowledged: set[str] = set()
        super().__init__(*args, **kwargs)
        self.async_pool.disconnect()  # it has seen that Redis is there: who only publishes needs one connection

    @cached_property
    def leases(self) -> Leases:
        where = {key: value for key, value in self._connparams().items() if key in ("host", "port", "path", "db")}
        return leases_of((*where.items(), self.global_keyprefix, self.lease), self._make_leases)

    def _make_leases(self) -> Leases:
        params = self._connparams()
        limit = min(PATIENCE, self.lease / 3)
        params |= {"max_connections": 4, "socket_timeout": limit, "retry": Retry(NoBackoff(), 1)}
        pool: Any = redis.BlockingConnectionPool
        return Leases(redis.Redis(connection_pool=pool(timeout=limit, **params)), self.global_keyprefix, self.lease)

    @property
    def _commands(self) -> Any:
        """Commands as they are: kombu's own client puts the prefix before the first key of a script only."""
        if self._plain is None or self._plain.connection_pool is not self.pool:
            self._plain = redis.Redis(connection_pool=self.pool)
        return self._plain

    # Publishing

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        if queue in self._expires:  # answers of remote control
            super()._put(queue, message, **kwargs)
            return
        message, delay = without_eta(message)
        headers = message.get("headers") or {}
        step = self.priority(self._get_message_priority(message, reverse=False))
        keys, kept = [self.global_keyprefix + queue], list[Word]()
        if key := headers.get(KEY):
            keys.append(key_of(self.global_keyprefix, queue, key))
            kept = [int(float(headers.get(KEY_TTL) or DAY) * 1000), headers.get("id") or ""]
        words = [self._suffix(step), self._suffix("delayed"), self._suffix("wake"), dumps(message), delay, *kept]
        PUBLISH.run(self._commands, keys, words)

    def _suffix(self, step: int | str) -> str:
        return f"{self.sep}{step}" if step else ""

    def _purge(self, queue: str) -> int:
        delayed = self.global_keyprefix + queue + self._suffix("delayed")
        with self._commands.pipeline() as pipe:
            found, _ = pipe.zcard(delayed).delete(delayed).execute()
        return int(super()._purge(queue)) + int(found)

    def _delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        super()._delete(queue, *args, **kwargs)
        self._commands.delete(*(self.global_keyprefix + queue + self._suffix(name) for name in ("delayed", "wake")))

    # Taking

    def basic_consume(self, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        if no_ack:
            self._unacknowledged.add(queue)
        elif not self._joined:
            self._joined = True
            begun.tell(self, self.leases)
            self.leases.join()
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def _get(self, queue: str) -> Any:
        tag = next(self._tags)
        self.leases.expect(tag)
        try:
            answer = TAKE.run(self._commands, *self._request(tag, [queue]))
        except BaseException:
            self.leases.doubt(tag)
            raise
        if not isinstance(answer, list):
            self.leases.forget(tag)
            raise Empty
        return self._message(tag, answer[1])

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        message = super().basic_get(queue, no_ack, **kwargs)
        if message is not None and no_ack:
            self.leases.acknowledge(message.delivery_tag)
        return message

    def _request(self, tag: str, queues: list[str]) -> tuple[list[Word], list[Word]]:
        names = [self.global_keyprefix + queue for queue in queues]
        suffixes = [self._suffix("delayed"), self._suffix("wake"), *map(self._suffix, self.priority_steps)]
        return [self.leases.unacked, self.leases.leases, *names], [tag, self.lease, *suffixes]

    def _brpop_start(self, timeout: float | None = None) -> None:
        self._taking, self._waits = "", False
        queues = self._queue_cycle.consume(len(self.active_queues))
        if self._unacknowledged.issuperset(queues):
            super()._brpop_start(timeout)
            return
        self._asked = queues
        connection = self.client.connection
        self._in_poll = connection
        self._brpop_sent_at = monotonic()
        if self._patience:
            self._waits = True
            wakes = [self.global_keyprefix + queue + self._suffix("wake") for queue in queues]
            connection.send_command("BRPOP", *wakes, self._patience)
        else:
            self._taking = next(self._tags)
            self.leases.expect(self._taking)
            connection.send_command(*TAKE.command(*self._request(self._taking, queues), whole=self._whole))

    def _brpop_read(self, **options: Any) -> bool:
        if not self._taking and not self._waits:
            return bool(super()._brpop_read(**options))
        try:
            answer = self._answer()
        finally:
            self._in_poll = None
            self._flush_brpop_reauth()
        if self._waits:
            self._patience = 0.0
            raise Empty
        tag, self._taking = self._taking, ""
        if not isinstance(answer, list):
            self.leases.forget(tag)
            self._patience = min(self.brpop_timeout, answer / 1000) if answer else self.brpop_timeout
            raise Empty
        self._patience = 0.0
        queue = self._asked[answer[0]]
        if self._closing or queue not in self.connection._callbacks:
            self.leases.give_back(tag)
            raise Empty
        self._queue_cycle.rotate(queue)
        message = self._message(tag, answer[1])
        if queue in self._unacknowledged:
            self.leases.acknowledge(tag)
        self.connection._deliver(message, queue)
        return True

    def _answer(self) -> Any:
        connection = self.client.connection
        try:
            answer = self.client.parse_response(connection, "EVALSHA")  # not BRPOP: a prefixed client takes that apart
            self._whole = self._whole and self._waits
        except NoScriptError:
            self._whole = True
            self.leases.forget(self._taking)
            raise Empty from None
        except self.connection_errors:
            connection.disconnect()
            raise
        except ResponseError as error:  # a replica, or a disk that is full: another server may take over
            connection.disconnect()
            raise NotConnected(f"Redis gives out no tasks: {plain(error)}") from error
        return answer

    def _message(self, tag: str, raw: bytes) -> Any:
        """What kombu makes a message of. Raises Empty if it is none, which is kept aside."""
        try:
            message = loads(bytes_to_str(raw))
            message["properties"]["delivery_tag"] = tag
            self.Message(message, channel=self)
        except _UNREADABLE:
            kombu.crit("What was taken is no message, and is kept in the list %s: %d bytes", UNREADABLE, len(raw))
            keys = [self.leases.unacked, self.leases.leases, self.global_keyprefix + UNREADABLE]
            PUT_ASIDE.run(self._commands, keys, [tag])
            self.leases.forget(tag)
            raise Empty from None
        return message

    # Ending

    def _basic_cancel(self, consumer_tag: str) -> Any:
        found = super()._basic_cancel(consumer_tag)
        if not self.active_queues and self._in_poll and self._taking and self._in_poll.can_read(timeout=1):
            with contextlib.suppress(Empty):
                self._brpop_read()
        return found

    def _on_connection_disconnect(self, connection: Any) -> None:
        if self._in_poll is connection and self._taking:
            self.leases.doubt(self._taking)
            self._taking = ""
        super()._on_connection_disconnect(connection)

    def close(self) -> None:
        if self._in_poll and self._waits:
            self._in_poll.disconnect()
        super().close()
        if self._joined:
            self._joined = False
            self.leases.part()
