"""A message that comes back from a worker that may have begun it says so."""

from __future__ import annotations

import json
import logging

LOST = "galvo-lost"
"""The header: how many workers were lost, or ended, while they may have run the task."""

logger = logging.getLogger(__name__)


def counted(raw: bytes) -> bytes:
    """The same message, one worker later; one that cannot be read stays as it is."""
    try:
        message = json.loads(raw)
        headers = message["headers"]
        found = headers.get(LOST)
        headers[LOST] = (found if isinstance(found, int) else 0) + 1
        headers["redelivered"] = True
        if info := (message.get("properties") or {}).get("delivery_info"):
            info["redelivered"] = True
        return json.dumps(message).encode()
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        logger.critical("A message of a lost worker cannot be read, so that it is not counted: %d bytes", len(raw))
        return raw


def unpacked(entry: bytes) -> bytes:
    """The message in what the script TAKE notes of it: two strings with their lengths, then the message.

    Raises ValueError for what is no such note.
    """
    for _ in range(2):
        length, _, entry = entry.partition(b":")
        entry = entry[int(length) :]
    return entry
