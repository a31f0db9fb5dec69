"""N+1: for the rows of one answer, another statement runs once for each.

One task at a time is followed, from one of its answers on, so that a query costs no more than a comparison. What
counts as a repeat is exact: a value of the earlier answer comes as an argument, row after row, in their order.
"""

from __future__ import annotations

import asyncio
import uuid
import weakref
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from galvo import Query, Rows

LEAST = 10
"""Runs in a row that are worth a word."""
WIDEST = 1000
"""Rows of an answer that are looked at."""
ANSWERS = 4
"""Answers that are remembered of the followed task."""
PATIENCE = 500
"""Queries of all tasks after which another one is followed."""
HELD = 2.0
"""Seconds that answers are held at most."""
REST = 0.02
"""Seconds until the next task is followed."""
COLUMNS = 16
AHEAD = 16
"""Rows that may have been passed over, as they needed no query."""
KEYS = (int, str)
"""Types of what rows are found by, and UUID, of which asyncpg has a class of its own."""

Told = Callable[[str, str, int, int], None]
"""Takes the statement that answered, the one that repeats, how often it did, and how many rows there were."""


class Answer:
    __slots__ = ("matches", "records", "sql")

    def __init__(self, sql: str, records: Sequence[Any]) -> None:
        self.sql = sql
        self.records = records
        self.matches: dict[str, list[int]] = {}
        """By statement: column, next row, runs."""


class Repeats:
    __slots__ = ("_answers", "_left", "_loop", "_next", "_task", "_tell", "_timer", "following")

    def __init__(self, tell: Told) -> None:
        self._tell = tell
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: weakref.ref[Any] | None = None
        self._answers: list[Answer] = []
        self._left = 0
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.following = False

    def begin(self, query: Query, rows: Rows, now: float) -> None:
        """Follow the running task, unless one was followed just now, or this answer is too wide to be run through."""
        if now >= self._next and len(rows.records) <= WIDEST:
            task = asyncio.current_task()
            if task is not None:
                self._loop = asyncio.get_running_loop()
                self._task = weakref.ref(task)
                self._left = PATIENCE
                self._timer = self._loop.call_later(HELD, self.stop)
                self._answers = [Answer(query.sql, rows.records)]
                self.following = True

    def saw(self, query: Query, rows: Rows) -> None:
        """A query has been answered, in whatever task."""
        self._left -= 1
        task = self._task() if self._task is not None else None
        if task is None or self._left < 0:
            self.stop()
        elif asyncio.current_task(self._loop) is task and query.kind == "rows":
            for answer in self._answers:
                if query.args and answer.sql != query.sql:
                    self._match(answer, query)
            if LEAST <= len(rows.records) <= WIDEST:
                self._answers = [*self._answers[1 - ANSWERS :], Answer(query.sql, rows.records)]

    def stop(self) -> None:
        """Say what was found, and follow nobody."""
        for answer in self._answers:
            for sql, (_, _, runs) in answer.matches.items():
                if runs >= LEAST:
                    self._tell(answer.sql, sql, runs, len(answer.records))
        if self._timer is not None:
            self._timer.cancel()
        self._next = perf_counter() + REST
        self._answers, self._task, self._timer, self.following = [], None, None, False

    def _match(self, answer: Answer, query: Query) -> None:
        found = answer.matches.get(query.sql)
        if found is None:
            column = _column(answer.records[0], query.args)
            if column >= 0 and len(answer.matches) < COLUMNS:
                answer.matches[query.sql] = [column, 1, 1]
            return
        column, row, _ = found
        for place in range(row, min(row + AHEAD, len(answer.records))):
            if _among(answer.records[place][column], query.args):
                found[1] = place + 1
                found[2] += 1
                return


def _column(record: Any, args: tuple[Any, ...]) -> int:
    """Of the first value that is an argument, too; -1: none is."""
    values = record.values() if hasattr(record, "values") else ()
    return next((place for place, value in enumerate([*values][:COLUMNS]) if _among(value, args)), -1)


def _among(value: Any, args: tuple[Any, ...]) -> bool:
    kind = type(value)
    return (kind in KEYS or isinstance(value, uuid.UUID)) and any(type(arg) is kind and arg == value for arg in args)
