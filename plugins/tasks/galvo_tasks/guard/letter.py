"""A task's message, apart from the delivery that it came with: what is put aside and what is sent again."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from kombu import Producer
from kombu.message import Message

from galvo_tasks.broker.headers import AT, KEY, KEY_TTL
from galvo_tasks.broker.lost import LOST
from galvo_tasks.guard.plain import plain, raw, text

AGAIN = "galvo-again"
"""Header: how often somebody has taken it from the dead-letter list to try it again."""

Attempt = tuple[object, ...]


class Letter(msgspec.Struct, frozen=True):
    body: bytes
    content_type: str
    content_encoding: str
    headers: dict[str, Any]
    exchange: str
    routing_key: str
    priority: int | None = None
    correlation_id: str | None = None
    reply_to: str | None = None

    @property
    def id(self) -> str:
        return str(self.headers.get("id") or self.correlation_id or "")

    @property
    def task(self) -> str:
        return str(self.headers.get("task") or "")

    @property
    def lost(self) -> int:
        return lost_of(self.headers)

    @property
    def mark(self) -> str:
        """The same for the same message only, however often it has been delivered."""
        found = blake2b(self.body, digest_size=8)
        found.update(repr(attempt_of(self.headers)).encode())
        return found.hexdigest()

    @property
    def key(self) -> str:
        return f"{self.id}:{self.mark}"

    def send(self, channel: Any, headers: Mapping[str, Any], timeout: float) -> None:
        """Publish it with these headers to where it has been. Raises what kombu raises, after `timeout` seconds.

        Mandatory: RabbitMQ would drop, and confirm, what is for a queue that is not there.
        """
        headers = dict(headers)
        priority: Any = self.priority  # None, too
        Producer(channel, auto_declare=False).publish(
            self.body,
            exchange=self.exchange,
            routing_key=self.routing_key,
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            compression=headers.pop("compression", None),
            headers=headers,
            priority=priority,
            correlation_id=self.correlation_id,
            reply_to=self.reply_to,
            delivery_mode=2,
            mandatory=True,
            timeout=timeout,
        )


def letter_of(message: Message) -> Letter:
    """It can be kept, whatever the message says."""
    encoding = text(message.content_encoding or "utf-8")
    properties: dict[str, Any] = dict(message.properties or {})
    delivery: dict[str, Any] = dict(message.delivery_info or {})
    priority = properties.get("priority")
    return Letter(
        body=raw(message.body, encoding),
        content_type=text(message.content_type or "application/data"),
        content_encoding=encoding,
        headers=plain(message.headers),
        exchange=text(delivery.get("exchange") or ""),
        routing_key=text(delivery.get("routing_key") or ""),
        priority=priority if isinstance(priority, int) else None,
        correlation_id=text(properties["correlation_id"]) if properties.get("correlation_id") else None,
        reply_to=text(properties["reply_to"]) if properties.get("reply_to") else None,
    )


def without_key(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Headers of a copy: with its key it would be taken for the message that is there."""
    return {name: value for name, value in headers.items() if name not in (KEY, KEY_TTL)}


def attempt_of(headers: Mapping[str, Any]) -> Attempt:
    """Which publishing of which task it is: an id alone stays the same through retries. Empty without an id."""
    if not (id := headers.get("id")):
        return ()
    return id, headers.get("retries"), headers.get(AT), headers.get(AGAIN)


def lost_of(headers: Mapping[str, Any]) -> int:
    return number(headers, LOST)


def number(headers: Mapping[str, Any], name: str) -> int:
    """A count; 0 for what is none."""
    found = headers.get(name)
    return found if isinstance(found, int) and 0 <= found < 2**31 else 0
