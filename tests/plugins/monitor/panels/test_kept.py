"""Which series have a past."""

from __future__ import annotations

from collections.abc import Mapping

from galvo_monitor.insights import READS, Facts, Insights
from galvo_monitor.panels import Kept
from galvo_monitor.series import Series


class Asked:
    """A source that has everything, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.pairs: set[tuple[str, str]] = set()

    def select(self, metric: str, aggregate: str, attributes: Mapping[str, str] = {}) -> list[Series]:
        self.pairs.add((metric, aggregate))
        return [Series(metric, aggregate, tuple(attributes.items()))]  # type: ignore[arg-type]

    def latest(self, series: Series) -> float | None:
        return 1.0


def test_whatever_insights_read() -> None:
    insights, source = Insights(interval=30.0), Asked()
    for look in range(5):
        insights.look(1e9 + 30 * look, source, Facts())
    assert source.pairs == READS


def test_drawn_or_asked_for_or_dropped() -> None:
    drawn, ruled, other = (
        Series("galvo.cache.size", "value"), Series("shop.sold", "rate"), Series("shop.seen", "rate")
    )  # fmt: skip
    values = {drawn: 1.0, ruled: 2.0, other: 3.0}
    assert Kept([("shop.sold", "rate")]).of(values) == {drawn: 1.0, ruled: 2.0}
