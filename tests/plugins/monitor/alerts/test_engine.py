"""What alerts do over time, seen at every step."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from galvo_monitor.alerts import RuleProblem, Silence
from galvo_monitor.series import TOTAL, Series
from tests.plugins.monitor.alerts.stand import START, STEP, Numbers, engine, numbers, rule, run, series, states

HIGH = 90.0


def test_pending_firing_resolved() -> None:
    judge = engine(rule(**{"for": 120}))
    source = numbers(50, HIGH, HIGH, 95, HIGH, 50, 50, HIGH, 50)
    assert states(judge, source, 9) == "-ppffrrp-"


def test_what_is_told() -> None:
    judge = engine(rule(**{"for": 60}, labels={"team": "night"}))
    fired, resolved = run(judge, numbers(50, HIGH, HIGH, 95, 50, 50, host="a"), 6)
    assert (fired.event, fired.since, fired.at) == ("firing", START + STEP, START + 2 * STEP)
    assert fired.labels == (("host", "a"), ("team", "night"))
    assert (resolved.event, resolved.at, resolved.peak) == ("resolved", START + 4 * STEP, 95)
    assert resolved.key == fired.key
    assert "95" in resolved.sentence


def test_a_label_of_the_rule_does_not_hide_which_series_it_is() -> None:
    """Two alerts of one key would be one to whoever is told, and the end of one the end of both."""
    judge = engine(rule(labels={"queue_name": "all", "team": "night"}))
    source = Numbers({series(**{"queue.name": name}): [HIGH, HIGH] for name in "ab"})
    told = run(judge, source, 2)
    assert [one.labels for one in told] == [(("queue.name", name), ("team", "night")) for name in "ab"]
    assert len({one.key for one in told}) == 2


def test_hysteresis() -> None:
    assert states(engine(rule(until=70)), numbers(79, 81, 75, 79, 71, 70, 75, 81), 8) == "-ffffrrf"
    below = rule(above=None, below=10, until=20)
    assert states(engine(below), numbers(11, 9, 15, 19, 20, 15), 6) == "-fffrr"


def test_keep_firing_for() -> None:
    judge = engine(rule(keep_firing_for=120))
    assert states(judge, numbers(HIGH, 50, 50, HIGH, 50, 50, 50), 7) == "ffffffr"


def test_a_resolved_alert_is_shown_for_a_while() -> None:
    assert states(engine(rule()), numbers(HIGH, *[50] * 18), 18) == "f" + "r" * 16 + "-"


@pytest.mark.parametrize("no_data, seen", [("keep", "ffff"), ("resolve", "frrr"), ("fire", "frrr")])
def test_no_data(no_data: str, seen: str) -> None:
    judge = engine(rule(no_data=no_data, **{"for": 0}))
    source = Numbers({series(a="1"): [HIGH, None, None, None], series(a="2"): [50] * 4})
    assert states(judge, source, 4) == seen


def test_what_is_pending_needs_data() -> None:
    assert states(engine(rule(**{"for": 120})), numbers(HIGH, HIGH, None, HIGH, HIGH, HIGH), 6) == "pp-ppf"


def test_keep_ends_after_a_day() -> None:
    judge = engine(rule())
    source = numbers(HIGH, *[None] * 1500)
    assert states(judge, source, 1500).rstrip("-").count("f") == 1440


def test_no_data_is_an_alert_itself() -> None:
    judge = engine(rule(no_data="fire", **{"for": 60}))
    first, over = run(judge, numbers(None, None, None, 50, 50), 5)
    assert (first.event, first.sentence, first.value) == ("firing", "There is no data of x", None)
    assert over.event == "resolved"


def test_repeated() -> None:
    told = run(engine(rule(), repeat=300), numbers(*[HIGH] * 12), 12)
    assert [(one.event, (one.at - START) / STEP) for one in told] == [("firing", 0), ("repeated", 5), ("repeated", 10)]


def test_silences() -> None:
    """Whoever is silenced is told of later, if it still fires then."""

    def until(step: int) -> Silence:
        end = datetime.fromtimestamp(START, UTC) + timedelta(seconds=step * STEP)
        return Silence(alert="Hi*", labels={"host": "a*"}, end=end, author="me", comment="moving")

    judge = engine(rule(), silences=[until(3)])
    assert run(judge, numbers(HIGH, HIGH, HIGH, HIGH, 50, host="a1"), 3) == []
    (alert,) = judge.alerts()
    assert alert.silenced
    assert judge.firing() == []
    assert [one.event for one in run(judge, numbers(*[HIGH] * 4, 50, host="a1"), 2, first=3)] == ["firing", "resolved"]
    assert run(engine(rule(), silences=[until(9)]), numbers(HIGH, 50, host="a1"), 2) == []
    assert len(run(engine(rule(), silences=[until(9)]), numbers(HIGH, 50, host="b1"), 2)) == 2


def test_a_critical_alert_mutes_those_of_its_group() -> None:
    near = rule(group="disk")
    worse = rule(name="Full", above=95, severity="critical", group="disk")
    source = Numbers({series(disk="a"): [99, 99, 90], series(disk="b"): [90, 90, 90]})
    judge = engine(near, worse)
    told = run(judge, source, 2)
    assert {(one.name, dict(one.labels)["disk"]) for one in told} == {("Full", "a"), ("High", "b")}
    told = run(judge, source, 1, first=2)
    assert [(one.event, one.name) for one in told] == [("firing", "High"), ("resolved", "Full")]


@pytest.mark.parametrize("at", [1, 3, 5])
@pytest.mark.parametrize("jump", [7200.0, -7200.0])
def test_a_clock_that_jumps(jump: float, at: int) -> None:
    """Neither fires what was not so for long, nor delays or ends what was; times are by the new clock."""
    steady = 0.0
    judge = engine(rule(keep_firing_for=120, **{"for": 120}), clock=lambda: steady)
    seen = ""
    for number, value in enumerate((HIGH, HIGH, HIGH, HIGH, 50, 50, 50)):
        steady = number * STEP
        jumped = jump if number >= at else 0
        source = Numbers({series(): [value]})
        source.window = lambda series, now, seconds, value=value: [value]  # type: ignore[assignment, method-assign]
        judge.evaluate(START + steady + jumped, source)
        (alert,) = judge.alerts()
        seen += alert.state[0]
        assert alert.since == START + jumped
    assert seen == "ppffffr"


def test_restart() -> None:
    """It goes on as if nothing had been, and nobody is told twice."""
    plain, slow = rule(), rule(name="Slow", **{"for": 180})
    first = engine(plain, slow)
    source = numbers(HIGH, HIGH, *[None] * 10, HIGH, HIGH, HIGH, 50)
    assert [one.event for one in run(first, source, 2)] == ["firing"]
    data = first.save()
    assert data is not None
    assert first.save() is None
    second = engine(plain, slow)
    second.restore(data, START + 12 * STEP)
    told = run(second, source, 4, first=12)
    assert [(one.event, one.name) for one in told] == [("firing", "Slow"), ("resolved", "High"), ("resolved", "Slow")]
    assert told[0].at == START + 14 * STEP
    assert told[1].since == START
    assert told[1].peak == HIGH


def test_after_a_restart_missing_rates_end_nothing() -> None:
    judge = engine(rule(no_data="resolve"))
    run(judge, numbers(HIGH), 1)
    again = engine(rule(no_data="resolve"))
    again.restore(judge.save() or b"", START + STEP)
    assert states(again, numbers(HIGH, *[None] * 8), 7, first=1) == "fffffrr"


def test_a_restart_with_other_rules() -> None:
    """What was told, of a rule that is gone or has another threshold, is over."""
    judge = engine(rule(), rule(name="Other"), rule(name="Third"))
    run(judge, numbers(HIGH), 1)
    again = engine(rule(above=99), rule(name="Third", severity="critical"))
    again.restore(judge.save() or b"", START + STEP)
    told = run(again, numbers(HIGH, HIGH), 1, first=1)
    assert [(one.event, one.name) for one in told] == [("resolved", "High"), ("resolved", "Other")]


def test_a_restart_long_after() -> None:
    judge = engine(rule(**{"for": 120}))
    run(judge, numbers(HIGH), 1)
    again = engine(rule(**{"for": 120}))
    again.restore(judge.save() or b"", START + 7200)
    assert again.alerts() == []


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"at":1,"kept":[],"version":2}', b'{"at":"x","kept":[]}', b"\xff"]
)
def test_a_state_that_is_none(data: bytes) -> None:
    with pytest.raises(RuleProblem, match="begun anew"):
        engine(rule()).restore(data, START)


def test_a_metric_that_never_comes(caplog: pytest.LogCaptureFixture) -> None:
    judge = engine(rule(metric="galvo.lop.lag"), rule(name="Fine"))
    with caplog.at_level(logging.WARNING):
        run(judge, numbers(*[1] * 60), 10)
        assert caplog.messages == []
        run(judge, numbers(*[1] * 60), 50, first=10)
    assert caplog.messages == [
        "rule High never had any data of galvo.lop.lag (value), so it cannot fire; did you mean 'galvo.loop.lag'?"
    ]


def test_a_rule_that_fails_is_in_nobody_elses_way(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Numbers):
        def select(self, metric: str, *rest: object) -> list[Series]:  # type: ignore[override]
            if metric == "y":
                raise ZeroDivisionError
            return super().select(metric, *rest)  # type: ignore[arg-type]

    judge = engine(rule(name="First", metric="y"), rule())
    with caplog.at_level(logging.WARNING):
        assert len(run(judge, Broken({series(): [HIGH] * 5}), 5)) == 1
    assert len(caplog.messages) == 1
    assert judge.faults == 5


def test_sums_and_shares() -> None:
    def counted(*attributes: tuple[str, str]) -> Series:
        return Series("http.server.request.duration", "rate", attributes)

    source = Numbers(
        {
            counted(("status", "200")): [10.0, 10.0, 0.0, 0.0],
            counted(("status", "500")): [0.0, 1.0, 0.1, 0.0],
            counted(("status", "503")): [0.0, 1.5, 0.1, 0.0],
            counted(*TOTAL): [10.0, 12.5, 0.2, 0.0],
        }
    )
    given = {"metric": "http.server.request.duration", "aggregate": "rate"}
    share = rule(**given, of="share", attributes={"status": "5*"}, above=0.1, least=1, no_data="resolve")
    (fired, over) = run(engine(share), source, 4)
    assert (fired.value, fired.labels) == (pytest.approx(0.2), ())
    assert over.at == START + 2 * STEP
    (fired, over) = run(engine(rule(**given, of="sum", above=12)), source, 4)
    assert fired.value == 12.5
    (fired, over) = run(engine(rule(**given, above=12)), source, 4)
    assert fired.value == 12.5
    assert fired.labels == ()


def test_all_that_a_histogram_holds() -> None:
    """Where no total of its series is kept, the worst is judged, or their sum."""
    given = {"metric": "galvo.loop.lag"}
    lag, often = rule(**given, aggregate="p99"), rule(**given, aggregate="rate", name="Often")
    first = [Series("galvo.loop.lag", one, (("pool", "a"),)) for one in ("p99", "rate")]
    other = [Series("galvo.loop.lag", one, (("pool", "b"),)) for one in ("p99", "rate")]
    total = Series("galvo.loop.lag", "p99", TOTAL)
    parts = {**{one: [HIGH] for one in first}, **{one: [85.0] for one in other}}
    told = run(engine(lag, often), Numbers(parts), 1)
    assert [(one.name, one.value, one.labels) for one in told] == [("High", HIGH, ()), ("Often", 175, ())]
    (fired,) = run(engine(lag), Numbers({**parts, total: [88]}), 1)
    assert fired.value == 88
    assert run(engine(lag), Numbers({}), 1) == []
