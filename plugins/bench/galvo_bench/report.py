"""What a run says: sections of rows, as tables of at most 80 columns."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Literal

import msgspec

from galvo_bench.method import Result

LIBRARIES = (
    "asyncpg", "redis", "hiredis", "cashews", "aiocache", "dogpile.cache", "coredis", "theine", "cachebox",
    "psycopg", "psycopg_pool", "celery", "kombu", "taskiq-redis", "procrastinate", "pillow",
    "pyvips", "prometheus_client", "opentelemetry-sdk", "ddsketch",
)  # fmt: skip


class Exact(msgspec.Struct, frozen=True):
    """What was counted, not timed: the same in every run."""

    name: str
    values: dict[str, float]


class Missing(msgspec.Struct, frozen=True):
    """A peer that could not be measured."""

    name: str
    missing: str
    """Why, in words."""


class Section(msgspec.Struct, frozen=True):
    subject: str
    title: str
    explains: str
    """What is measured, in a sentence."""
    rows: list[Result | Exact | Missing]
    ratio: Literal["time", "speed", "throughput"] = "time"
    """What the ratios compare. Of time, less is better; of speed and throughput, more."""


def inverted(rows: list[Result | Missing]) -> list[Result | Exact | Missing]:
    """Ratios of time turned into ratios of speed."""
    return [
        msgspec.structs.replace(row, ratio=1 / row.ratio, low=1 / row.high, high=1 / row.low)
        if isinstance(row, Result)
        else row
        for row in rows
    ]


def environment(loop: str = "asyncio's own loop") -> str:
    """Versions and load, for whoever reads the numbers later."""
    found = [f"{name} {version}" for name in LIBRARIES if (version := _version(name))]
    cores = f"{os.cpu_count()} cores"
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return f"Python {platform.python_version()}, {loop}, {cores}, {load}; {', '.join(found)}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def show(section: Section) -> None:
    """One table: its title, what it measures, its rows."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    heads = _heads(section)
    for head in heads:
        table.add_column(head, justify="right")
    for row in section.rows:
        table.add_row(Text(row.name), *map(Text, _cells(row, heads, section.ratio)))
    console = Console(width=80, highlight=False)
    console.print(Text(section.title, "bold"))
    console.print(Text(section.explains, "dim"))
    console.print(table)


def _heads(section: Section) -> list[str]:
    exact = next((row for row in section.rows if isinstance(row, Exact)), None)
    if exact is not None:
        return list(exact.values)
    return ["per second" if section.ratio == "throughput" else "per operation", section.ratio, "quartiles"]


def _cells(row: Result | Exact | Missing, heads: list[str], ratio: str) -> list[str]:
    if isinstance(row, Missing):
        return [row.missing]
    if isinstance(row, Exact):
        return [number(row.values[head]) if head in row.values else "" for head in heads]
    cost = f"{1 / row.seconds:,.0f}" if ratio == "throughput" else human(row.seconds)
    return [cost, f"{number(row.ratio)}x", f"{number(row.low)} to {number(row.high)}"]


def number(value: float) -> str:
    """Three digits, or all of a whole number."""
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"


def human(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.1f} us" if seconds >= 1e-6 else f"{seconds * 1e9:.0f} ns"
