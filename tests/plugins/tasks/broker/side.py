"""One end of a Redis broker: publishes to it, takes from it, looks into it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kombu import Connection, Consumer, Queue
from redis import Redis

from galvo_tasks.broker.address import kombu_url
from galvo_tasks.broker.leases import LEASES, UNACKED
from galvo_tasks.broker.transport import register

register()
LEASE = 1.0
LEASES_OF_THEIR_OWN = itertools.count(LEASE, 1e-6)
"""Those of one process and one length are shared, and each side is to be as in a process of its own."""


class Side:
    """A process's connection; its leases' thread runs while it consumes."""

    def __init__(self, url: str, queues: Sequence[str] = ("q",), no_ack: bool = False, **options: Any) -> None:
        self.queues = queues
        self.no_ack = no_ack
        self.connection = Connection(kombu_url(url), transport_options=options)
        self.channel: Any = self.connection.channel()
        self.redis = Redis.from_url(url)
        self.got: list[Any] = []
        self.consumer: Any = None

    def publish(self, body: Any, priority: int = 0, queue: str = "q", **headers: Any) -> None:
        self.connection.Producer(self.channel).publish(body, routing_key=queue, priority=priority, headers=headers)

    def take(self, seconds: float = 0.3) -> Any:
        """The next message, unacknowledged; None when there is none."""
        if self.consumer is None:
            queues = [Queue(name) for name in self.queues]
            self.consumer = Consumer(
                self.channel, queues, callbacks=[lambda _, message: self.got.append(message)], no_ack=self.no_ack
            )
            self.consumer.consume()
        before = len(self.got)
        try:
            while len(self.got) == before:
                self.connection.drain_events(timeout=seconds)
        except TimeoutError:
            return None
        return self.got[-1]

    def bodies(self) -> list[Any]:
        """Of all that is left, taken and acknowledged."""
        found = []
        while (message := self.take()) is not None:
            found.append(message.payload)
            message.ack()
        return found

    def listed(self, name: str = "q") -> list[Any]:
        """What a list holds, the next one first."""
        return [json.loads(raw) for raw in reversed(self.redis.lrange(name, 0, -1))]

    @property
    def unacked(self) -> int:
        both = "return {redis.call('HLEN', KEYS[1]), redis.call('ZCARD', KEYS[2])}"
        noted, leased = self.redis.eval(both, 2, UNACKED, LEASES)
        assert noted == leased
        return int(noted)

    def vanish(self) -> None:
        """As a process does that is killed: nobody renews its leases, and nobody gives anything back."""
        self.channel.leases._held.clear()
        self.channel.qos._delivered.clear()

    def close(self) -> None:
        self.connection.release()
        self.redis.close()


@contextmanager
def sides(url: str, number: int = 1, **options: Any) -> Iterator[list[Side]]:
    made = [Side(url, **{"lease": next(LEASES_OF_THEIR_OWN), **options}) for _ in range(number)]
    try:
        yield made
    finally:
        for side in made:
            side.close()
