"""From the workers' answers to the numbers of the demo, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from galvo_engraving.demo.lanes import LANES, Lane
from galvo_engraving.histogram import Histogram

Answer = Mapping[str, Any]


def summary(lane: Lane, answers: Sequence[Answer]) -> dict[str, Any]:
    """All rounds of one lane as one."""

    def total(name: str) -> float:
        return float(sum(answer.get(name, 0) for answer in answers))

    latencies = Histogram()
    for answer in answers:
        latencies.add(Histogram(answer["histogram"]))
    requests, queries, seconds = total("requests"), total("queries"), total("seconds")
    cache = {name: int(total(name)) for name in ("hits", "misses", "refused")}
    return {
        "name": lane.name,
        "mode": lane.mode,
        "title": lane.title,
        "requests": int(requests),
        "writes": int(total("writes")),
        "errors": int(total("errors")),
        "first_error": next((answer["first_error"] for answer in answers if answer["first_error"]), ""),
        "requests_per_second": requests / seconds,
        "queries_per_second": queries / seconds,
        "p50_ms": latencies.quantile(0.50),
        "p95_ms": latencies.quantile(0.95),
        "p99_ms": latencies.quantile(0.99),
        "database_queries_per_request": load(*answers)["database_queries_per_request"],
        "hit_ratio": cache["hits"] / max(1, sum(cache.values())) if lane.mode == "full" else None,
        "peak_rss_mib": max(answer["peak_rss_mib"] for answer in answers),
        "cpu_ms_per_request": 1000 * total("cpu_seconds") / max(1, requests),
        "cache": cache if lane.mode == "full" else None,
    }


def load(*answers: Answer) -> dict[str, float]:
    """What reached the database in so many seconds."""
    requests = sum(answer["requests"] for answer in answers)
    return {
        "seconds": float(sum(answer["seconds"] for answer in answers)),
        "database_queries_per_request": sum(answer["database_queries"] for answer in answers) / max(1, requests),
    }


def noise(answers: Mapping[str, Sequence[Answer]]) -> dict[str, float]:
    """How far plain asyncpg was from itself in requests per second: over all rounds, and in the worst one."""
    first, again = answers["plain"], answers["again"]
    rounds = [_rate(b) / _rate(a) for a, b in zip(first, again, strict=True) if a["requests"]]
    overall = _rate(*again) / max(1e-9, _rate(*first))
    return {
        "ratio": overall,
        "percent": 100 * abs(overall - 1),
        "worst_round_percent": 100 * max((abs(ratio - 1) for ratio in rounds), default=0.0),
    }


def _rate(*answers: Answer) -> float:
    return float(sum(a["requests"] for a in answers) / sum(a["seconds"] for a in answers))


@dataclass(frozen=True, slots=True)
class _Line:
    title: str
    key: str
    show: Callable[[float], str]


def _short(value: float) -> str:
    """Three significant digits or so, and never an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _ratio(value: float) -> str:
    return f"{_short(value)}x" if value >= 0.01 else "<0.01x"


_LINES = (
    _Line("requests/s", "requests_per_second", _short),
    _Line("queries/s", "queries_per_second", _short),
    _Line("p50 ms", "p50_ms", _short),
    _Line("p95 ms", "p95_ms", _short),
    _Line("p99 ms", "p99_ms", _short),
    _Line("DB queries/req", "database_queries_per_request", _short),
    _Line("hit ratio", "hit_ratio", lambda value: f"{100 * value:.1f} %"),
    _Line("peak RSS MiB", "peak_rss_mib", _short),
)


def table(modes: list[dict[str, Any]]) -> Table:
    """At most 80 columns wide; every number with its ratio to plain asyncpg."""
    plain = modes[0]
    grid = Table(box=None, padding=(0, 0, 0, 1), pad_edge=False, header_style="bold")
    grid.add_column("", no_wrap=True)
    grid.add_column(LANES[0].title, justify="right")
    for lane in LANES[1:]:
        grid.add_column(lane.title, justify="right")
        grid.add_column("", justify="right", style="dim" if lane.mode == "plain" else "cyan")
    for line in _LINES:
        cells: list[str | Text] = []
        for mode in modes:
            value, base = mode[line.key], plain[line.key]
            cells.append("-" if value is None else line.show(value))
            if mode is not plain:
                cells.append("" if value is None or not base else _ratio(value / base))
        grid.add_row(line.title, *cells)
    return grid
