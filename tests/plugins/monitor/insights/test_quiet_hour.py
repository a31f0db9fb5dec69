"""What a real application measured, replayed by a clock of the test's: not one sentence of a quiet hour.

`recording.py` wrote it down, five seconds a row, of which each stands for a whole interval here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from galvo_monitor.database import Sample as Server
from galvo_monitor.insights import Facts
from galvo_monitor.series import Series, Values
from galvo_monitor.system import Disks
from galvo_monitor.system import Sample as Machine
from tests.plugins.monitor.insights.recording import FILE
from tests.plugins.monitor.insights.stand import EVERY, Hours

Row = dict[str, float]
NAME = re.compile(r"(\S+?)(?:\{(.*)\})? (\w+)")
LABEL = re.compile(r'([\w.]+)="([^"]*)"')


def recorded(file: Path) -> list[Row]:
    columns: dict[str, list[float | None]] = json.loads(file.read_text())
    length = len(next(iter(columns.values())))
    made = [{name: values[number] for name, values in columns.items()} for number in range(length)]
    return [{name: value for name, value in row.items() if value is not None} for row in made[1:]]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return recorded(FILE)


def values(row: Row) -> Values:
    found: Values = {}
    for name, value in row.items():
        if (match := NAME.fullmatch(name)) is not None:
            found[Series(match[1], match[3], tuple(LABEL.findall(match[2] or "")))] = value  # type: ignore[arg-type]
    return found


class Replay:
    def __init__(self) -> None:
        self.hours = Hours()
        self._free, self._at = 0.0, 0.0
        self._disks = Disks(["/"], statvfs=self._statvfs, clock=lambda: self._at)

    def _statvfs(self, path: str) -> Any:
        free = int(self._free)
        return SimpleNamespace(f_frsize=1, f_blocks=1 << 37, f_bfree=free, f_bavail=free)

    def say(self, row: Row) -> list[str]:
        self._free, self._at = row.get("free", self._free), self._at + EVERY
        idle = int(row["idle_count"])
        states = {"active": 1, "idle": 7, "idle in transaction": idle, "other": 0}
        blocked, oldest = int(row["blocked"]), row["idle_oldest"]
        server = Server(states, 0, tuple(range(idle)), idle, oldest, blocked, oldest, 9, 100, 1.0)
        facts = Facts(
            pool={name: row[name] for name in ("lent", "limit", "waiting")},
            cache={"away_seconds": row["away"], "shares": 1.0},
            database=server,
            machine=Machine(0.0, row.get("cpu"), 0.5, 1e9, 0.1, 1e8, 10.0, 20.0, {}),
            disks=tuple(self._disks.sample()),
        )
        return self.hours.sentences(values(row), facts)


def test_it_has_no_sentence(rows: list[Row]) -> None:
    assert len(rows) * EVERY >= 3600
    replay = Replay()
    assert [said for row in rows if (said := replay.say(row))] == []


def test_an_hour_in_which_others_took_the_cpus_has_sentences_that_are_true() -> None:
    """Two test runs began on the machine after 40 minutes of the clock's, and took all of it."""
    rows = recorded(FILE.with_name("overloaded.json"))
    replay = Replay()
    said = [replay.say(row) for row in rows]
    assert not any(said[:80])
    lag = [re.match(r"Event loop lag p99 up [\d.]+x to (\d+) ms since ", one[0]) for one in said if one]
    told = [float(match[1]) / 1000 for match in lag if match is not None]
    assert len(told) == len(lag) >= 20
    assert told == pytest.approx([row["galvo.loop.lag p99"] for row, one in zip(rows, said, strict=True) if one], 0.05)
    assert said[120][0].endswith("; the CPUs are 100 % busy, 10 % by this process")


@pytest.mark.parametrize(
    "column, more, begins",
    [
        ("db.client.operation.duration p95", 0.3, "Query p95 up "),
        ("galvo.loop.lag p99", 0.5, "Event loop lag p99 up "),
        ("waiting", 0.0, "All 8 connections of the pool are lent and "),
        ("free", 0.0, "The disk of / is full in "),
    ],
)
def test_were_something_wrong_there_would_be(column: str, more: float, begins: str) -> None:
    """Within three intervals, after 40 minutes in which others left the machine alone."""
    rows, replay = recorded(FILE.with_name("overloaded.json")), Replay()
    for row in rows[:75]:
        replay.say(row)
    said: list[str] = []
    for number, row in enumerate(rows[75:78], 1):
        bad = {**row, column: row[column] + more}
        if column == "waiting":
            bad |= {"lent": 8.0, "waiting": 3.0}
        if column == "free":
            bad |= {"free": rows[74]["free"] * (1 - 0.2 * number)}
        said += replay.say(bad)
    assert said
    assert said[0].startswith(begins)
