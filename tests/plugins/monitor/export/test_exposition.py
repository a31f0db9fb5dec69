"""Prometheus' text format, read back by two parsers: prometheus_client's and Prometheus' own (promtool)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from galvo import Metric
from galvo_monitor.catalogue import METRICS
from galvo_monitor.cells import Registry, Snapshot
from galvo_monitor.export.collector import Collector
from galvo_monitor.export.exposition import LEFT_OUT, PIECE, exposition
from galvo_monitor.names import text
from galvo_monitor.series import TOTAL
from tests.plugins.monitor.export.promtool import promtool
from tests.plugins.monitor.export.recorded import AT, HOSTILE, hostile, recorded

Key = tuple[str, tuple[tuple[str, str], ...]]
BASE = "db_client_operation_duration_seconds"


def written(snapshot: Snapshot) -> str:
    return b"".join(exposition(snapshot)).decode()


def samples(page: str) -> dict[Key, float]:
    """By name and labels. Fails when a series is there twice."""
    found: dict[Key, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def test_the_numbers() -> None:
    found = samples(written(recorded(histograms=2)))
    assert found["galvo_cache_hits_total", (("galvo_cache_level", "l1"),)] == 41
    assert found["db_client_connection_count_value", (("db_client_connection_state", "used"),)] == 3
    assert found["process_memory_usage_bytes", ()] == 123_456_789
    assert found["galvo_memory_waiting_percent", ()] == 1e-7
    assert found[f"{BASE}_count", (("db_query_summary", "select material 1"),)] == 50
    assert found["body_size_bytes_bucket", (("le", "1024"),)] == 0
    assert found["body_size_bytes_bucket", (("le", "4096"),)] == 1
    assert found[LEFT_OUT, ()] == 0


def test_buckets_rise_to_the_count() -> None:
    found = samples(written(recorded(histograms=5)))
    for number in range(5):
        where = ("db_query_summary", f"select material {number}")
        ends = {
            float(dict(labels)["le"]): value
            for (name, labels), value in found.items()
            if name == f"{BASE}_bucket" and where in labels
        }
        ordered = [ends[end] for end in sorted(ends)]
        assert ordered == sorted(ordered)
        assert ordered[-1] == found[f"{BASE}_count", (where,)] == 50
        assert 0 < ends[0.0025] < 50


def test_hostile_texts_stay_texts() -> None:
    page = written(hostile())
    found = samples(page)
    assert not any(name.startswith("evil") for name, _ in found)
    assert "\0" not in page
    customers = {dict(labels)["customer"] for name, labels in found if name == "shop_sold_total"}
    assert customers == {text(one) for one in HOSTILE}


def test_nothing_is_there_twice() -> None:
    """What Prometheus cannot tell apart is left out and counted: it would refuse the whole page."""
    found = samples(written(hostile()))
    assert found["same_name_total", ()] == 1
    assert found["same_label_total", (("a_b", "x"),)] == 1
    assert found["part_sum", ()] == 1
    assert ("part_sum_count", ()) not in found
    assert found[LEFT_OUT, ()] >= 3


def test_sums_are_left_to_prometheus() -> None:
    registry = Registry()
    registry.record(Metric("wait", "histogram", "s", TOTAL), 1)
    assert "wait" not in written(registry.read(AT))


def test_it_comes_in_pieces() -> None:
    pieces = list(exposition(recorded(histograms=1000, values=1)))
    assert len(pieces) > 20
    assert max(map(len, pieces)) < 2 * PIECE


def test_nothing_recorded() -> None:
    assert samples(written(Snapshot(AT))) == {(LEFT_OUT, ()): 0}


@given(
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.text(max_size=4)), max_size=8)
)
def test_whatever_is_recorded(told: list[tuple[str, str, str, str]]) -> None:
    registry = Registry()
    for name, attribute, value, unit in told:
        for kind in ("counter", "gauge", "histogram"):
            registry.record(Metric(name + kind[0], kind, unit, ((attribute, value),)), 1)  # type: ignore[arg-type]
    samples(written(registry.read(AT)))


def by_registry(snapshot: Snapshot) -> str:
    registry = CollectorRegistry()
    registry.register(Collector(lambda: snapshot))
    return generate_latest(registry).decode()


@pytest.mark.parametrize("make", [recorded, hostile])
def test_the_collector_tells_the_same(make: Callable[[], Snapshot]) -> None:
    snapshot = make()
    ours = {key: value for key, value in samples(written(snapshot)).items() if key[0] != LEFT_OUT}
    theirs = samples(by_registry(snapshot))
    assert theirs.keys() == ours.keys()
    assert all(value == theirs[key] or value != value for key, value in ours.items())


def test_a_registry_may_have_it_beside_others() -> None:
    registry = CollectorRegistry(auto_describe=True)
    registry.register(Collector(recorded))
    assert registry.get_sample_value("process_memory_usage_bytes") == 123_456_789


def test_promtool_has_nothing_to_say() -> None:
    done = promtool("check", "metrics", told=written(recorded()))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_promtool_reads_hostile_texts() -> None:
    """What its linter says of odd names does not matter; that it can read them does (1 is: it cannot)."""
    done = promtool("check", "metrics", told=written(hostile()))
    assert done.returncode in (0, 3), done.stderr
    assert "error while linting" not in done.stderr


def test_promtool_likes_all_of_galvos_names() -> None:
    registry = Registry()
    for metric in METRICS.values():
        registry.record(metric, 1)
    done = promtool("check", "metrics", told=written(registry.read(AT)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
