"""The dead-letter list, for people and as JSON. Arguments are told by type and size only, unless they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from galvo.sizes import show
from galvo_local import printable
from galvo_tasks.guard.entry import Entry
from galvo_tasks.program.shown import WIDTH, wrapped

SHORT = 8
LONGEST = 36
"""Characters of an id that are listed: a UUID's."""
TASK = 20


def listed(entries: Sequence[Entry], now: float) -> Iterator[str]:
    """At 80 columns."""
    if not entries:
        yield "no task was put aside"
        return
    length = min(LONGEST, unambiguous([one.id for one in entries]))
    yield f"{'ID':{length}}  {'AGO':>5}  {'TASK':{TASK}}  WHY"
    for one in entries:
        task = ".".join(one.letter.task.split(".")[-2:])
        name = task if len(task) <= TASK else "…" + task[1 - TASK :]
        why = one.reason + (f" ({one.exception})" if one.exception else "")
        line = printable(f"{one.id[:length]:{length}}  {ago(now - one.at):>5}  {name:{TASK}}  {why}")
        yield line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def facts(entry: Entry, now: float, *, arguments: bool = False) -> Iterator[str]:
    """All of one, at 80 columns."""
    letter = entry.letter
    told = {
        "task": letter.task,
        "id": entry.id,
        "queue": f"{letter.routing_key}" + (f", priority {letter.priority}" if letter.priority is not None else ""),
        "put aside": f"{moment(entry.at)}, {ago(now - entry.at)} ago",
        "why": entry.reason,
        "exception": entry.exception,
        "last line": entry.last_line,
        "before": f"{counted(entry.retries, 'retry', 'retries')}, {counted(letter.lost, 'worker', 'workers')} lost, "
        f"taken from this list {counted(entry.again, 'time', 'times')}",
        "arguments": arguments_of(entry) if arguments else types_of(entry),
    }
    for name, text in told.items():
        if text:
            yield from wrapped(text, f"{name:10}")


def as_json(entry: Entry, now: float, *, whole: bool = False, arguments: bool = False) -> dict[str, Any]:
    letter = entry.letter
    told: dict[str, Any] = {
        "id": entry.id,
        "task": letter.task,
        "queue": letter.routing_key,
        "priority": letter.priority,
        "reason": entry.reason,
        "at": moment(entry.at),
        "seconds": round(now - entry.at, 3),
        "exception": entry.exception or None,
        "retries": entry.retries,
        "lost": letter.lost,
        "again": entry.again,
        "bytes": len(letter.body),
    }
    if whole:
        told["last_line"] = entry.last_line or None
        told["arguments"] = arguments_of(entry) if arguments else types_of(entry)
    return told


def types_of(entry: Entry) -> str:
    called = _called(entry)
    if called is None:
        return f"{show(len(entry.letter.body))} of {entry.letter.content_type or 'unknown type'}"
    args, kwargs = called
    told = [_type(value) for value in args] + [f"{name}: {_type(value)}" for name, value in kwargs.items()]
    return ", ".join(told) or "none"


def arguments_of(entry: Entry) -> str:
    called = _called(entry)
    if called is None:
        return repr(entry.letter.body)
    args, kwargs = called
    try:
        return ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]) or "none"
    except RecursionError:
        return repr(entry.letter.body)


def unambiguous(ids: Sequence[str]) -> int:
    """How many of the first characters tell them apart: 8 at least."""
    length, among = SHORT, set(ids)
    while len({id[:length] for id in among}) < len(among):
        length += 1
    return length


def ago(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(" ", "seconds")


def counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _called(entry: Entry) -> tuple[list[Any], dict[str, Any]] | None:
    """None for a body that is no JSON, which only its own worker may read."""
    if entry.letter.content_type != "application/json":
        return None
    try:
        args, kwargs, *_ = json.loads(entry.letter.body)
        return list(args), dict(kwargs)
    except (ValueError, TypeError, RecursionError):
        return None


def _type(value: object) -> str:
    size = f" of {len(value)}" if isinstance(value, str | list | dict) else ""
    return f"{type(value).__name__}{size}"
