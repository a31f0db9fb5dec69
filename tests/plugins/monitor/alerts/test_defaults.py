"""The default rules on the real store: what each of them is for, and what is none of it."""

from __future__ import annotations

import random

import pytest

from galvo_monitor.alerts import RULES, Engine
from galvo_monitor.alerts.source import whole
from galvo_monitor.series import TOTAL, Aggregate, Series, Values
from galvo_monitor.store import Store
from tests.plugins.monitor.alerts.stand import LOG, START

STEP = 30.0
QUERY, HTTP = "db.client.operation.duration", "http.server.request.duration"


def one(metric: str, aggregate: Aggregate = "value", **attributes: str) -> Series:
    return Series(
        metric, aggregate, tuple(sorted((name.replace("_", "."), value) for name, value in attributes.items()))
    )


DISK = one("galvo.disk.time_to_full", system_filesystem_mountpoint="/")
LEVEL, LEAK = one("galvo.memory.level"), one("galvo.memory.leak")
LAG = Series("galvo.loop.lag", "p99", TOTAL)
WAIT = Series("db.client.connection.wait_time", "p95", TOTAL)
TIMEOUTS = one("db.client.connection.timeouts", "rate")
QUERIES, FAILED = one(QUERY, "rate"), one(QUERY, "rate", error_type="57014")
ANSWERED, BROKEN = (
    Series(HTTP, "rate", (("http.response.status_code", "200"),)),
    Series(HTTP, "rate", (("http.response.status_code", "503"),)),
)
WRONG = one("galvo.cache.wrong_hits", "rate", galvo_cache_reason="unannounced")
QUEUE, IDLE = one("galvo.tasks.oldest", queue="bulk", priority="low"), one("galvo.database.idle_in_transaction.oldest")
AGE, DEAD = one("galvo.database.xid_age"), one("galvo.tasks.dead")
USUAL: Values = {
    DISK: 365 * 86400.0, LEVEL: 0, LEAK: 0, LAG: 0.004, WAIT: 0.02, TIMEOUTS: 0, QUERIES: 200, FAILED: 1, ANSWERED: 50,
    BROKEN: 0.1, WRONG: 0, QUEUE: 5, IDLE: 0, AGE: 2e8, DEAD: 0,
}  # fmt: skip
BAD: dict[str, Values] = {
    "DiskFilling": {DISK: 3600.0},
    "MemoryShort": {LEVEL: 2},
    "MemoryLeak": {LEAK: 5e6},
    "LoopBlocked": {LAG: 0.8},
    "PoolWait": {WAIT: 3},
    "PoolExhausted": {TIMEOUTS: 0.5},
    "QueriesFail": {FAILED: 60},
    "RequestsFail": {BROKEN: 20},
    "CacheWrong": {WRONG: 1 / 30},
    "QueueOld": {QUEUE: 1800},
    "TasksDead": {DEAD: 3},
    "TransactionIdle": {IDLE: 900},
    "Wraparound": {AGE: 1.8e9},
}


def judged(judge: Engine, store: Store, first: int, steps: int, changes: Values) -> list[tuple[str, str]]:
    told = []
    for number in range(first, first + steps):
        store.append(START + number * STEP, {**USUAL, **changes})
        told += [(one.name, one.event) for one in judge.evaluate(START + number * STEP, store)]
    return told


def engine() -> tuple[Engine, Store]:
    return Engine(RULES, log=LOG, interval=STEP, clock=None), Store(interval=STEP)


def test_each_rule_has_its_incident() -> None:
    assert set(BAD) == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", BAD)
def test_an_incident(name: str) -> None:
    """It is told of once and alone, after two minutes and before 30, and is over once all is well again."""
    judge, store = engine()
    assert judged(judge, store, 0, 20, {}) == []
    assert judged(judge, store, 20, 4, BAD[name]) == []
    assert judged(judge, store, 24, 56, BAD[name]) == [(name, "firing")]
    (alert,) = [alert for alert in judge.alerts() if alert.state == "firing"]
    assert "?" not in alert.sentence
    assert "{" not in alert.sentence
    assert judged(judge, store, 80, 120, {}) == [(name, "resolved")]


def test_a_wobble_at_the_threshold_is_one_alert() -> None:
    judge, store = engine()
    told = []
    for number in range(0, 200, 2):
        told += judged(judge, store, number, 1, {LAG: 0.6})
        told += judged(judge, store, number + 1, 1, {LAG: 0.05})
    assert told == [("LoopBlocked", "firing")]


def test_a_quiet_day() -> None:
    """Of a busy application: noise with heavy tails, and now and then a bad half minute."""
    judge, store = engine()
    chance = random.Random(7)
    told = []
    for number in range(2880):
        noisy: Values = {
            LAG: chance.lognormvariate(-5.5, 0.8),
            WAIT: chance.lognormvariate(-4, 1),
            QUERIES: chance.uniform(1, 400),
            FAILED: chance.uniform(0, 3) if number % 50 else 40,
            BROKEN: chance.uniform(0, 0.2),
            QUEUE: chance.uniform(0, 100),
            LEVEL: 1 if number % 300 < 30 else 0,
        }
        if number % 400 == 0:
            noisy |= {LAG: 2.0, WAIT: 5.0, TIMEOUTS: 0.2, LEVEL: 2, IDLE: 700}
        told += judged(judge, store, number, 1, noisy)
    assert told == []


def test_a_failed_query_of_two_is_no_share() -> None:
    judge, store = engine()
    assert judged(judge, store, 0, 40, {QUERIES: 1 / 60, FAILED: 1 / 60}) == []


def test_which_are_of_all_that_a_histogram_holds() -> None:
    assert {rule.name for rule in RULES if whole(rule)} == {"LoopBlocked", "PoolWait"}
