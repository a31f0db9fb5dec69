"""What the page, `galvo top` and `galvo status` show: all of it, and nothing of the program behind it."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["info", "warning", "critical"]
Status = Literal["ok", "warning", "critical"]
State = Literal["pending", "firing", "resolved"]
Cell = str | float | None
"""Of a table; numbers in the unit of their column."""


class Alert(msgspec.Struct, frozen=True):
    """Times are seconds since the epoch."""

    name: str
    severity: Severity
    state: State
    sentence: str
    since: float
    value: float | None
    """None: there is no data."""
    labels: tuple[tuple[str, str], ...] = ()
    silenced: bool = False


class Insight(msgspec.Struct, frozen=True):
    """What has changed and why, as far as the numbers tell."""

    sentence: str
    evidence: str
    since: float
    """Seconds since the epoch."""
    confidence: float
    """0 to 1."""


class Value(msgspec.Struct, frozen=True):
    """One line of a chart."""

    series: str
    """By which its past is asked for: `str(Series)`."""
    label: str
    unit: str
    """UCUM, as in OpenTelemetry: "s", "By", "1" (a share), "{query}/s"."""
    now: float | None


class Chart(msgspec.Struct, frozen=True):
    title: str
    values: list[Value]


class Table(msgspec.Struct, frozen=True):
    title: str
    columns: list[tuple[str, str]]
    """Name and unit."""
    rows: list[list[Cell]]


class Panel(msgspec.Struct, frozen=True):
    """One part of the system."""

    name: str
    """requests, loop, database, cache, pool, queue, memory or system."""
    title: str
    charts: list[Chart]
    tables: list[Table] = []


class View(msgspec.Struct, frozen=True):
    at: float
    """Seconds since the epoch."""
    started: float
    pid: int
    verdict: str
    """One sentence: what to know first."""
    status: Status
    alerts: list[Alert]
    insights: list[Insight]
    panels: list[Panel]
    processes: int = 1
    """Whose numbers these are together."""
