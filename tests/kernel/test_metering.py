from __future__ import annotations

from galvo import Metering, Metric

HITS = Metric("hits")
SIZE = Metric("size", "gauge", "By")


class Told:
    def __init__(self) -> None:
        self.stats: dict[str, float] = {}
        self.seen: list[tuple[str, tuple[str, ...], float]] = []
        self.metering = Metering(
            self.record,
            lambda: dict(self.stats),
            {"hits": HITS},
            {"bytes": SIZE},
            {"misses": Metering.by("reason", "misses", "1"), "misses_of": Metering.by("who", "misses.of", "1")},
        )

    def record(self, metric: Metric, value: float) -> None:
        self.seen.append((metric.name, tuple(text for _, text in metric.attributes), value))

    def after(self, **stats: float) -> list[tuple[str, tuple[str, ...], float]]:
        self.stats = stats
        self.seen.clear()
        self.metering.record()
        return [*self.seen]


def test_counters_tell_what_has_come() -> None:
    told = Told()
    assert told.after(hits=3) == [("hits", (), 3)]
    assert told.after(hits=3) == []
    assert told.after(hits=7.5) == [("hits", (), 4.5)]


def test_gauges_tell_what_is() -> None:
    told = Told()
    assert told.after(bytes=3) == told.after(bytes=3) == [("size", (), 3)]
    assert told.after() == [], "unknown"


def test_a_group_has_an_attribute() -> None:
    told = Told()
    assert told.after(misses_cold=1, misses_a_b=2, misses_of_two=3, misses=9, other_cold=9, unknown=9) == [
        ("misses", ("cold",), 1),
        ("misses", ("a_b",), 2),
        ("misses.of", ("two",), 3),
    ]


def test_what_falls_has_begun_anew() -> None:
    told = Told()
    told.after(hits=10)
    assert told.after(hits=4) == [("hits", (), 4)]
    assert told.after(hits=5) == [("hits", (), 1)]


def test_what_falls_by_rounding_has_not() -> None:
    told = Told()
    told.after(hits=0.1 + 0.2 + 0.3)
    assert told.after(hits=0.3 + 0.2 + 0.1) == []


def test_what_is_not_there_once_goes_on_where_it_was() -> None:
    told = Told()
    told.after(hits=100)
    assert told.after() == []
    assert told.after(hits=101) == [("hits", (), 1)]
