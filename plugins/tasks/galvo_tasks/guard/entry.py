"""What the dead-letter list tells of a task."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from galvo_tasks.broker.headers import AT, ETA, KEY
from galvo_tasks.broker.lost import LOST
from galvo_tasks.guard.letter import AGAIN, Letter, number, without_key
from galvo_tasks.guard.plain import text
from galvo_tasks.running.retries import STATE

UNREADABLE = "its entry cannot be read"
LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


class Entry(msgspec.Struct, frozen=True):
    letter: Letter
    reason: str
    """Why it is here: a clause, as "its worker was lost while it may have run"."""
    at: float
    """When it was put aside, in seconds since the epoch."""
    exception: str = ""
    last_line: str = ""
    """Of the traceback."""

    @property
    def id(self) -> str:
        """What it is called by: also one that came without an id."""
        return self.letter.id or self.letter.mark

    @property
    def key(self) -> str:
        return self.letter.key

    @property
    def retries(self) -> int:
        return number(self.letter.headers, "retries")

    @property
    def again(self) -> int:
        """How often it was taken from the list before."""
        return number(self.letter.headers, AGAIN)


def entry(letter: Letter, reason: str, exception: BaseException | None = None, traceback: str = "") -> Entry:
    """Of now."""
    name = type(exception).__name__ if exception is not None else ""
    lines = [line.strip() for line in traceback.splitlines() if line.strip()]
    return Entry(letter, text(reason), time.time(), text(name), text(lines[-1]) if lines else "")


def encoded(entry: Entry) -> bytes:
    return msgspec.json.encode(entry)


def decoded(data: Any) -> Entry:
    """What is no entry has one that stands for it, so that it can be seen and dropped: a broker is not trusted."""
    try:
        found = msgspec.json.decode(data, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError):
        body = data if isinstance(data, bytes) else str(data).encode("utf-8", "surrogatepass")
        id = blake2b(body, digest_size=8).hexdigest()
        return Entry(Letter(body, "", "", {"id": id}, "", ""), UNREADABLE, 0.0)
    return found if 0 <= found.at < LATEST else msgspec.structs.replace(found, at=0.0)


def renewed(entry: Entry, now: float) -> dict[str, Any]:
    """Headers for trying it again: its losses and retries are forgiven, and nothing of it is late or waits.

    The key makes it one message, if who sends it again dies before it is off the list and somebody tries once more.
    """
    gone = {LOST, ETA, STATE, "eta", "expires"}
    headers = {name: value for name, value in without_key(entry.letter.headers).items() if name not in gone}
    times = entry.again + 1
    return {**headers, "retries": 0, AGAIN: times, AT: now, KEY: f"dead:{entry.key}:{times}"}
