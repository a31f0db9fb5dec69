"""A producer that measures what it sends, and compresses what is worth it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kombu
from kombu.compression import compress
from kombu.exceptions import EncodeError
from kombu.serialization import dumps

from galvo import sizes
from galvo_tasks.publishing.measuring import at_least
from galvo_tasks.publishing.problems import NotSerialisable, PayloadTooLarge

COMPRESSED = 4096
"""Bytes from which gzip is worth its time."""


class Producer(kombu.Producer):
    """One thread at a time uses it, which has declared the queue."""

    task = ""
    limit = 0
    """Bytes, before they are compressed."""
    sending: Callable[[], None] | None = None
    """Called when all that can be refused here has been: next, bytes leave."""

    def publish(self, body: Any, *words: Any, **options: Any) -> Any:
        """Raises PayloadTooLarge, NotSerialisable, and what kombu raises."""
        if "content_type" not in options:
            kind, encoding, data = serialised(self.task, body, self.limit)
            options.update(serializer=None, compression=None, content_type=kind, content_encoding=encoding)
            if len(data) > COMPRESSED:
                data, options["headers"]["compression"] = compress(data, "gzip")
            body = data
        if self.sending is not None:
            self.sending()
        # mandatory: RabbitMQ would drop, and confirm, what is for a queue that somebody has deleted meanwhile.
        return super().publish(body, *words, **{**options, "declare": None, "mandatory": True})


def serialised(task: str, body: Any, limit: int) -> tuple[str, str, bytes]:
    """Content type, encoding and bytes of a task's `body`. Raises PayloadTooLarge, NotSerialisable."""
    if (least := at_least(body, limit)) > limit:  # serialising it would keep everybody waiting
        raise _too_large(task, least, limit)
    try:
        kind, encoding, data = dumps(body, "json")
    except (EncodeError, RecursionError) as error:
        raise NotSerialisable(f"task {task} is told as JSON, and {culprit(body)}: {error}") from None
    raw = str(data).encode()
    if len(raw) > limit:
        raise _too_large(task, len(raw), limit)
    return kind, encoding, raw


def _too_large(task: str, size: int, limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"the arguments of task {task} are {sizes.show(size)} at least, over payload = {sizes.show(limit)} under "
        "[tasks]: put them into the database, and pass what they are found by"
    )


def culprit(body: Any) -> str:
    """Which argument cannot be told, by its place and type; never by its value."""
    positional, named = body[0], body[1]
    for place, value in [*((f"argument {n}", one) for n, one in enumerate(positional, 1)), *named.items()]:
        try:
            dumps(value, "json")
        except (EncodeError, RecursionError):
            return f"{place} ({type(value).__name__}) cannot be"
    return "its arguments cannot be"
