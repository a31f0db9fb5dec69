"""Is an answer worth a place in Redis? A row by its primary key is read faster from PostgreSQL."""

from __future__ import annotations

WEIGHT = 0.1
FACTOR = 2.0


class Average:
    """An exponentially weighted moving average; the first value counts as it is."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float | None = None

    def add(self, value: float) -> float:
        self.value = value if self.value is None else self.value + WEIGHT * (value - self.value)
        return self.value


class Admission:
    """Compares what queries cost with what our own round trips to Redis cost, both as measured here."""

    def __init__(self, factor: float = FACTOR) -> None:
        """`factor`: how many round trips to Redis a query must cost."""
        self._factor = factor
        self.round_trip = Average()

    def admit(self, query_seconds: float) -> bool:
        """`query_seconds`: the average cost of the statement. Until a round trip was measured: True."""
        trip = self.round_trip.value
        return trip is None or query_seconds > self._factor * trip
