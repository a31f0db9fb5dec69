"""The numbers that have a usual: requests and queries, by OpenTelemetry's names; the event loop."""

from __future__ import annotations

from collections.abc import Mapping

from galvo_monitor.insights.clue import Clue
from galvo_monitor.insights.failing import Failing
from galvo_monitor.insights.latency import Latency, Traffic
from galvo_monitor.insights.source import Reading
from galvo_monitor.insights.unusual import Unusual
from galvo_monitor.insights.waiting import DURATION
from galvo_monitor.insights.words import clock, duration, times

HTTP = "http.server.request.duration"
STATUS, ERROR = "http.response.status_code", "error.type"
LAG, LEAST_LAG = "galvo.loop.lag", 0.02


def _failed(attributes: Mapping[str, str]) -> str | None:
    status = attributes.get(STATUS, "")
    return f"status {status}" if status.startswith("5") else None


class Watched:
    """What is slow and what fails; one look for each interval."""

    def __init__(self, interval: float) -> None:
        """`interval`: seconds between two looks."""
        self._slow = (
            Latency(interval, HTTP, "request", lambda attributes: _failed(attributes) is None),
            Latency(interval, DURATION, "query", lambda attributes: ERROR not in attributes),
        )
        self._more = (Traffic(interval, HTTP, "requests"), Traffic(interval, DURATION, "queries"))
        self._failing = (
            Failing(interval, HTTP, "requests", _failed),
            Failing(interval, DURATION, "queries", lambda attributes: attributes.get(ERROR)),
        )
        self._lag = Unusual(interval=interval, least=LEAST_LAG)

    def slow(self, reading: Reading) -> list[Clue]:
        return [clue for one in self._slow if (clue := one.look(reading)) is not None]

    def more(self, reading: Reading) -> list[Clue]:
        return [clue for one in self._more if (clue := one.look(reading)) is not None]

    def failing(self, reading: Reading) -> list[Clue]:
        return [clue for one in self._failing if (clue := one.look(reading)) is not None]

    def lag(self, reading: Reading) -> Clue | None:
        lag = reading.highest(LAG, "p99")
        if not self._lag.look(lag, reading.now) or lag is None:
            return None
        since = clock(self._lag.since, reading.now)
        return Clue(
            f"event loop lag p99 up {times(self._lag.ratio)} to {duration(lag)} since {since}",
            f"{LAG} p99 {duration(lag)}, usually {duration(self._lag.usual)}",
            self._lag.since,
            self._lag.confidence,
            alone=True,
        )
