"""One sentence to read first."""

from __future__ import annotations

import pytest

from galvo_monitor.insights import verdict
from galvo_monitor.view import Alert, Insight, Severity, State

SLOW = Insight("query p95 up 4x since 18:02; 80 % of the query time is pool wait", "", 100.0, 0.9)


def alert(
    name: str, severity: Severity = "warning", state: State = "firing", since: float = 5.0, silenced: bool = False
) -> Alert:
    return Alert(name, severity, state, f"{name} is bad", since, 1.0, (), silenced)


def test_nothing_is_wrong() -> None:
    assert verdict([], []) == ("ok", "No alert is firing.")


def test_an_insight_by_itself_is_told_and_does_not_change_the_status() -> None:
    assert verdict([], [SLOW]) == (
        "ok",
        "No alert is firing. Query p95 up 4x since 18:02; 80 % of the query time is pool wait.",
    )


def test_the_worst_alert_comes_first_and_of_equals_the_oldest() -> None:
    alerts = [alert("disk"), alert("lag", "critical", since=9.0), alert("pool", "critical", since=3.0)]
    assert verdict(alerts, []) == ("critical", "Pool is bad. 2 more alerts are firing.")
    assert verdict([alert("disk")], [SLOW]) == (
        "warning",
        "Disk is bad. Query p95 up 4x since 18:02; 80 % of the query time is pool wait.",
    )


@pytest.mark.parametrize(
    "quiet",
    [alert("a", "critical", "pending"), alert("a", "critical", "resolved"), alert("a", "critical", silenced=True)],
)
def test_what_does_not_fire_or_is_silenced_counts_as_none(quiet: Alert) -> None:
    assert verdict([quiet], []) == ("ok", "No alert is firing.")


def test_what_is_only_informative_is_ok() -> None:
    assert verdict([alert("note", "info"), alert("disk", since=9.0)], [])[0] == "warning"
    assert verdict([alert("note", "info")], []) == ("ok", "Note is bad.")
