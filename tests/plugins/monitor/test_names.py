"""OpenTelemetry's compatibility rules, and PromQL that uses them."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galvo import Metric
from galvo_monitor.names import expression, label, labels, name, selector, text
from galvo_monitor.series import TOTAL

DURATION = Metric("db.client.operation.duration", "histogram", "s")
HITS = Metric("galvo.cache.hits", "counter", "{read}")


@pytest.mark.parametrize(
    "given, kind, unit, expected",
    [
        ("db.client.operation.duration", "histogram", "s", "db_client_operation_duration_seconds"),
        ("galvo.cache.hits", "counter", "{read}", "galvo_cache_hits_total"),
        ("galvo.cache.time_saved", "counter", "s", "galvo_cache_time_saved_seconds_total"),
        ("process.memory.usage", "gauge", "By", "process_memory_usage_bytes"),
        ("galvo.memory.leak", "gauge", "By/h", "galvo_memory_leak_bytes_per_hour"),
        ("galvo.memory.waiting", "gauge", "%", "galvo_memory_waiting_percent"),
        ("system.cpu.utilization", "gauge", "1", "system_cpu_utilization_ratio"),
        ("cache.ratio", "gauge", "1", "cache_ratio"),
        ("requests.total", "counter", "1", "requests_total"),
        ("db.client.connection.count", "gauge", "{connection}", "db_client_connection_count_value"),
        ("sold", "gauge", "{engraving}/s", "sold_per_second"),
        ("sold", "gauge", "1/d", "sold_per_day"),
        ("speed", "gauge", "m/s", "speed_m_per_second"),
        ("already.seconds", "histogram", "s", "already_seconds"),
        ("9 lives//left", "gauge", "{life}", "_9_lives_left"),
        ("", "gauge", "", "_"),
        ("rows", "gauge", "total", "rows"),
        ("_total", "histogram", "total", "_"),
    ],
)
def test_names(given: str, kind: Literal["counter", "gauge", "histogram"], unit: str, expected: str) -> None:
    assert name(Metric(given, kind, unit)) == expected


@given(st.text(max_size=30), st.sampled_from(["counter", "gauge", "histogram"]), st.text(max_size=10))
def test_whatever_it_is_called(given: str, kind: Literal["counter", "gauge", "histogram"], unit: str) -> None:
    made = name(Metric(given, kind, unit))
    assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", made)
    assert made.endswith("_total") == (kind == "counter")
    assert re.fullmatch(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*", label(given))
    assert label(given) not in ("le", "quantile")


def test_labels_that_become_the_same_share_it() -> None:
    assert labels((("b.c", "2"), ("b_c", "3"), ("a", "1"))) == {"a": "1", "b_c": "2;3"}


@pytest.mark.parametrize("hostile", ["\ud800", "a\0b", "\x1b[31m", 'a"b\\c\nd'])
def test_texts_can_be_sent(hostile: str) -> None:
    assert "\0" not in text(hostile).encode().decode()


def test_selectors() -> None:
    assert selector(HITS, {}) == "galvo_cache_hits_total"
    made = selector(HITS, {"galvo.cache.level": 'l"1\n', "a": ""}, window="5m", matcher='job=~"x"')
    assert made == 'galvo_cache_hits_total{a="",galvo_cache_level="l\\"1\\n",job=~"x"}[5m]'
    assert selector(DURATION, dict(TOTAL), "_count") == "db_client_operation_duration_seconds_count"


def test_expressions() -> None:
    base = "db_client_operation_duration_seconds"
    assert expression(DURATION, "rate", {}, "5m") == f"sum (rate({base}_count[5m]))"
    assert expression(DURATION, "busy", {}, "5m", ["error.type"]) == f"sum by (error_type) (rate({base}_sum[5m]))"
    assert expression(DURATION, "mean", {}, "1m") == f"sum (rate({base}_sum[1m])) / sum (rate({base}_count[1m]))"
    assert (
        expression(DURATION, "p95", dict(TOTAL), "5m", ["error.type"])
        == f"histogram_quantile(0.95, sum by (le, error_type) (rate({base}_bucket[5m])))"
    )
    assert expression(DURATION, "max", {}, "5m") == f"histogram_quantile(1, sum by (le) (rate({base}_bucket[5m])))"
    assert expression(HITS, "rate", {}, "5m") == "sum (rate(galvo_cache_hits_total[5m]))"
    assert expression(Metric("a", "gauge", "By"), "value", {"b": "c"}, "5m") == 'a_bytes{b="c"}'
