"""What a message's headers tell the transport."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

KEY, KEY_TTL = "galvo-key", "galvo-key-ttl"
"""Headers: a second message with the same key adds nothing; for that many seconds."""
AT, DELAY, ETA = "galvo-at", "galvo-delay", "galvo-eta"
"""Headers: when it was published (seconds since the epoch); how many seconds later it is due; what `eta` said."""
DAY = 86400.0


def key_of(prefix: str, queue: str, key: str) -> str:
    """Where it is kept that a message with this key was published to the queue, with the id of its task."""
    return f"{prefix}galvo.key.{queue}.{key}"


def without_eta(message: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """The message, and seconds until it is due: what its publisher's clock says is counted by Redis' from here on."""
    headers = message.get("headers") or {}
    eta, delay = headers.get("eta"), headers.get(DELAY)
    if not isinstance(delay, int | float):
        if not isinstance(eta, str):
            return message, 0.0
        try:
            delay = (datetime.fromisoformat(eta) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):  # without a time zone: only the worker knows which is meant
            return message, 0.0
    delay = max(0.0, delay)
    headers = {name: value for name, value in headers.items() if name != DELAY} | {"eta": None, ETA: eta}
    if isinstance(at := headers.get(AT), int | float):
        headers[AT] = at + delay
    return {**message, "headers": headers}, delay
