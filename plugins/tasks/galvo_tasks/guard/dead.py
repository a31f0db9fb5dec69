"""The dead-letter list of an application, in its broker: what was not run, or not to its end, and why."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any

from amqp.exceptions import NotFound
from celery import Celery
from kombu import Connection, Queue

from galvo import Metric
from galvo_tasks.config.preset import kind_of
from galvo_tasks.guard.entry import Entry, decoded, encoded, renewed
from galvo_tasks.settings import settings_of

DEAD = Metric("galvo.tasks.dead", "gauge", "{task}")
"""How many are on the list; the monitor's rule TasksDead tells somebody."""
PAGE = 500
Wanted = Callable[[Entry], bool]


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
        """Take those off the list; with `publish` they wait in their queues again before that."""

    def retry(self, ids: Collection[str] | None = None) -> list[Entry]:
        """Give them to workers again, as if they had never been tried; `ids`: of tasks, None: all."""
        return self.take(_among(ids), publish=True)

    def drop(self, ids: Collection[str] | None = None) -> list[Entry]:
        return self.take(_among(ids), publish=False)

    def _connection(self) -> AbstractContextManager[Connection]:
        return connected(self._app)

    def _publish(self, connection: Connection, entry: Entry) -> None:
        entry.letter.send(connection.default_channel, renewed(entry, time.time()), self._patience)


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
        taken = []
        with self._connection() as connection:
            found = sorted(self._scan(connection), key=lambda item: item[1].at)
            for field, entry in found:
                if wanted(entry):
                    if publish:
                        self._publish(connection, entry)
                    _client(connection).hdel(self.name, field)
                    taken.append(entry)
        return taken

    def _scan(self, connection: Connection) -> Iterator[tuple[Any, Entry]]:
        for field, data in _client(connection).hscan_iter(self.name, count=PAGE):
            if entry := decoded(data):
                yield field, entry


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
        taken: dict[str, Entry] = {}
        with self._connection() as connection:
            for message, entry in self._messages(connection):
                if wanted(entry):
                    if publish and entry.key not in taken:
                        self._publish(connection, entry)
                    message.ack()
                    taken[entry.key] = entry
        return list(taken.values())

    def _messages(self, connection: Connection) -> Iterator[tuple[Any, Entry]]:
        """Closing the channel puts back, in their places, those that are not acknowledged."""
        channel: Any = connection.channel()
        try:
            while message := channel.basic_get(self.name):
                read = channel.message_to_python(message)
                if entry := decoded(read.body):
                    yield read, entry
        except NotFound:
            return


def connected(app: Celery[Any]) -> AbstractContextManager[Connection]:
    """One that is tried once: kombu asks again for seconds, in which a worker would stand still."""
    return closing(app.connection_for_write(transport_options={"max_retries": 0}))


def dead_letters(app: Celery[Any]) -> DeadLetters:
    """Those of `app`, in whichever broker it has."""
    return InRabbit(app) if kind_of(str(app.conf.broker_url)) == "amqp" else InRedis(app)


def _among(ids: Collection[str] | None) -> Wanted:
    return (lambda _: True) if ids is None else (lambda entry: entry.letter.id in ids)


def _client(connection: Connection) -> Any:
    """redis-py's, as the transport has configured it."""
    return _channel(connection).client


def _channel(connection: Connection) -> Any:
    return connection.default_channel
