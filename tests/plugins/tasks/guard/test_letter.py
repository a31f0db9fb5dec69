"""Whatever a message says, it can be kept."""

from __future__ import annotations

from typing import Any

import pytest
from kombu.message import Message

from galvo_tasks.guard.entry import decoded, encoded, entry
from galvo_tasks.guard.letter import letter_of


def nested(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    "told, body",
    [
        ({"headers": {"id": "\ud800", "task": "\ud800", "\ud800": {"\ud800": ("\ud800",)}}}, b"[]"),
        ({"headers": {"id": "a", "x": nested(100_000), "y": object()}}, b"[]"),
        ({"body": "\ud800[]"}, b"\xed\xa0\x80[]"),
        ({"body": "[]", "content_encoding": "none\ud800"}, b"[]"),
        ({"body": {"a": 1}, "content_type": 7}, b'{"a": 1}'),
        ({"properties": {"priority": "high", "correlation_id": {}, "reply_to": ["\ud800"]}}, b"[]"),
        ({"delivery_info": {"exchange": ["\ud800"], "routing_key": "\ud800"}}, b"[]"),
    ],
)
def test_what_is_said_strangely(told: dict[str, Any], body: bytes) -> None:
    options: Any = {"body": b"[]", "content_type": "application/json", "content_encoding": "utf-8", **told}
    letter = letter_of(Message(**options))
    found = decoded(encoded(entry(letter, "no task \ud800", ValueError(), "File \udcff")))
    assert (found.letter.body, found.reason, found.last_line) == (body, "no task \\ud800", "File \\udcff")
    assert (found.key, found.letter.mark) == (f"{letter.id}:{letter.mark}", letter.mark)
    assert found.key.encode()
