"""The dead-letter list of an application, in its broker: what was not run, or not to its end, and why."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any

from amqp.exceptions import MessageNacked, NotFound
from celery import Celery
from kombu import Connection, Queue

from galvo import Metric
from galvo_local import printable
from galvo_tasks.app import queues_of
from galvo_tasks.config.preset import kind_of
from galvo_tasks.errors import TasksProblem
from galvo_tasks.guard.entry import UNREADABLE, Entry, decoded, encoded, renewed
from galvo_tasks.guard.verdict import MAY_HAVE_RUN
from galvo_tasks.settings import settings_of

DEAD = Metric("galvo.tasks.dead", "gauge", "{task}")
"""How many are on the list; the monitor's rule TasksDead tells somebody."""
PAGE = 500
Wanted = Callable[[Entry], bool]


class NotGiven(TasksProblem):
    """Some stay on the list, since no worker would get them; `taken` are those that were given to workers."""

    def __init__(self, stay: Collection[str], taken: list[Entry]) -> None:
        number = "1 task stays" if len(stay) == 1 else f"{len(stay)} tasks stay"
        super().__init__(f"{number} on the dead-letter list: {'; '.join(list(stay)[:3])}")
        self.taken = taken


class DeadLetters(ABC):
    """Each call opens a connection and closes it: they are rare. All raise what kombu raises."""

    def __init__(self, app: Celery[Any]) -> None:
        self._app = app
        self.name = f"{app.main}.dead-letters"
        self._patience = settings_of(app).deadline

    @abstractmethod
    def put(self, entry: Entry) -> None:
        """It is on the list once this returns; the same message twice is on it once."""

    @abstractmethod
    def count(self) -> int: ...

    @abstractmethod
    def entries(self) -> list[Entry]:
        """The oldest first."""

    @abstractmethod
    def take(self, wanted: Wanted, *, publish: bool) -> list[Entry]:
        """Take those off the list; with `publish` they wait in their queues again before that. Raises NotGiven."""

    def retry(self, ids: Collection[str] | None = None) -> list[Entry]:
        """Give them to workers again, as if they had never been tried; `ids`: of tasks, None: all. Raises NotGiven."""
        return self.take(_among(ids), publish=True)

    def drop(self, ids: Collection[str] | None = None) -> list[Entry]:
        return self.take(_among(ids), publish=False)

    def settle(self, keys: Collection[str]) -> list[Entry]:
        """Take off those of these messages that were called lost; `keys`: of their letters."""
        return self.take(lambda entry: entry.key in keys and entry.reason == MAY_HAVE_RUN, publish=False)

    def _connection(self) -> AbstractContextManager[Connection]:
        return connected(self._app)

    def _publish(self, connection: Connection, entry: Entry) -> str:
        """Why it cannot be given to a worker; "" if it was."""
        id, queue = printable(entry.id), entry.letter.routing_key
        if entry.reason == UNREADABLE:
            return f"{id} cannot be read"
        if queue not in queues_of(self._app):
            return f"{id}: its queue {queue!r} is that of no class under [tasks.classes]"
        refused: Any = (MessageNacked, *connection.channel_errors)
        try:
            with self._through(connection) as channel:
                entry.letter.send(channel, renewed(entry, time.time()), self._patience)
        except (LookupError, ValueError, TypeError) as error:  # what its headers say, as an unknown compression
            return f"{id} cannot be sent ({type(error).__name__}: {printable(str(error))})"
        except refused as error:
            return f"{id}: the broker does not take it for {queue} ({error}): is a worker of it started?"
        return ""

    @abstractmethod
    def _through(self, connection: Connection) -> AbstractContextManager[Any]:
        """The channel to publish one through."""


class InRedis(DeadLetters):
    """A hash: by task and message, the entry as JSON."""

    def put(self, entry: Entry) -> None:
        with self._connection() as connection:
            _client(connection).hset(self.name, entry.key, encoded(entry))

    def count(self) -> int:
        with self._connection() as connection:
            return int(_client(connection).hlen(self.name))

    def entries(self) -> list[Entry]:
        with self._connection() as connection:
            return sorted((entry for _, entry in self._scan(connection)), key=lambda entry: entry.at)

    def take(self, wanted: Wanted, *, publish: bool) -> list[Entry]:
        taken, stay = list[Entry](), dict[str, str]()
        with self._connection() as connection:
            found = sorted(self._scan(connection), key=lambda item: item[1].at)
            for field, entry in found:
                if wanted(entry):
                    if publish and (why := self._publish(connection, entry)):
                        stay[entry.key] = why
                        continue
                    _client(connection).hdel(self.name, field)
                    taken.append(entry)
        if stay:
            raise NotGiven(stay.values(), taken)
        return taken

    def _through(self, connection: Connection) -> AbstractContextManager[Any]:
        return nullcontext(connection.default_channel)

    def settle(self, keys: Collection[str]) -> list[Entry]:
        with self._connection() as connection:
            client = _client(connection)
            found = [decoded(data) for data in client.hmget(self.name, list(keys)) if data is not None]
            taken = [entry for entry in found if entry.reason == MAY_HAVE_RUN and entry.key in keys]
            if taken:
                client.hdel(self.name, *(entry.key for entry in taken))
            return taken

    def _scan(self, connection: Connection) -> Iterator[tuple[Any, Entry]]:
        for field, data in _client(connection).hscan_iter(self.name, count=PAGE):
            yield field, decoded(data)


class InRabbit(DeadLetters):
    """A durable queue of entries as JSON. While one looks through it, others see it empty."""

    def put(self, entry: Entry) -> None:
        with self._connection() as connection:
            connection.Producer(auto_declare=False).publish(
                encoded(entry),
                routing_key=self.name,
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=2,
                declare=[Queue(self.name, durable=True)],
                timeout=self._patience,
            )

    def count(self) -> int:
        with self._connection() as connection:
            try:
                return int(_channel(connection).queue_declare(self.name, passive=True).message_count)
            except NotFound:
                return 0

    def entries(self) -> list[Entry]:
        with self._connection() as connection:
            return list({entry.key: entry for _, entry in self._messages(connection)}.values())

    def take(self, wanted: Wanted, *, publish: bool) -> list[Entry]:
        taken, stay = dict[str, Entry](), dict[str, str]()
        with self._connection() as connection:
            for message, entry in self._messages(connection):
                if wanted(entry):
                    if publish and entry.key not in taken and (why := self._publish(connection, entry)):
                        stay[entry.key] = why
                        continue
                    message.ack()
                    taken[entry.key] = entry
        if stay:
            raise NotGiven(stay.values(), list(taken.values()))
        return list(taken.values())

    def _through(self, connection: Connection) -> AbstractContextManager[Any]:
        """One of its own: after a message that comes back its confirmation comes, too, as if for the next one."""
        channel: Any = connection.channel()
        return closing(channel)

    def _messages(self, connection: Connection) -> Iterator[tuple[Any, Entry]]:
        """Closing the channel puts back, in their places, those that are not acknowledged."""
        channel: Any = connection.channel()
        try:
            while message := channel.basic_get(self.name):
                read = channel.message_to_python(message)
                yield read, decoded(read.body)
        except NotFound:
            return


def connected(app: Celery[Any]) -> AbstractContextManager[Connection]:
    """One that is tried once: kombu asks again for seconds, in which a worker would stand still."""
    return closing(app.connection_for_write(transport_options={"max_retries": 0}))


def dead_letters(app: Celery[Any]) -> DeadLetters:
    """Those of `app`, in whichever broker it has."""
    return InRabbit(app) if kind_of(str(app.conf.broker_url)) == "amqp" else InRedis(app)


def _among(ids: Collection[str] | None) -> Wanted:
    return (lambda _: True) if ids is None else (lambda entry: entry.id in ids)


def _client(connection: Connection) -> Any:
    """redis-py's, as the transport has configured it."""
    return _channel(connection).client


def _channel(connection: Connection) -> Any:
    return connection.default_channel
