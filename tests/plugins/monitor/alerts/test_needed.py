"""Which series a rule cannot do without."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from galvo_monitor.alerts import RULES, Engine, needed
from galvo_monitor.series import TOTAL, Aggregate, Series
from galvo_monitor.store import Store
from tests.plugins.monitor.alerts.stand import START, rule

HTTP = "http.server.request.duration"


@pytest.mark.parametrize(
    "given,aggregate,attributes,expected",
    [
        ({}, "p95", TOTAL, True),
        ({}, "p95", (("http.route", "/"),), False),  # the sum over all of them is what is judged
        ({}, "p50", TOTAL, False),
        ({"attributes": {"http.route": "/a*"}}, "p95", (("http.route", "/add"),), True),
        ({"attributes": {"http.route": "/a*"}}, "p95", (("http.route", "/"),), False),
        ({"attributes": {"http.route": "/"}}, "p95", (("http.route", "/"), ("more", "1")), True),
        ({"attributes": {"http.route": "/"}}, "p95", (), False),
        ({"attributes": {"error.type": ""}}, "p95", (), True),
        ({"attributes": {"error.type": ""}}, "p95", (("error.type", "500"),), False),
        ({"attributes": {"error.type": "*"}}, "p95", TOTAL, False),
        ({"aggregate": "rate", "attributes": {"error.type": "*"}, "of": "sum"}, "rate", (), False),
        ({"aggregate": "rate", "attributes": {"error.type": "*"}, "of": "share"}, "rate", (), True),
        ({"aggregate": "rate", "attributes": {"error.type": "*"}, "of": "share"}, "rate", TOTAL, False),
    ],
)
def test_series(
    given: dict[str, Any], aggregate: Aggregate, attributes: tuple[tuple[str, str], ...], expected: bool
) -> None:
    judged = rule(**{"metric": HTTP, "aggregate": "p95", "above": 0.5, **given})
    assert needed([judged])(Series(HTTP, aggregate, attributes)) is expected


def test_alerts_whose_numbers_come_late_fire_all_the_same() -> None:
    """The queues of an application fill the store; then the pool gives up."""
    store = Store(interval=30, most=128)
    store.needed = needed(RULES)
    judge = Engine(RULES, log=logging.getLogger(), clock=None)
    queues: dict[Series, float] = {}
    for number in range(130):
        queues[Series("galvo.tasks.depth", "value", (("queue", str(number)),))] = 1.0
        queues[Series("galvo.tasks.oldest", "value", (("queue", str(number)),))] = 1.0
    for number in range(20):
        late = {
            Series("db.client.connection.timeouts", "rate", (("db.client.connection.pool.name", "a"),)): 3.0,
            Series("galvo.disk.time_to_full", "value", (("system.filesystem.mountpoint", "/"),)): 60.0,
        }
        store.append(START + 30 * number, queues | (late if number > 2 else {}))
        judge.evaluate(START + 30 * number, store)
    assert sorted(alert.name for alert in judge.alerts() if alert.state == "firing") == ["DiskFilling", "PoolExhausted"]
    assert len(store) == 132
