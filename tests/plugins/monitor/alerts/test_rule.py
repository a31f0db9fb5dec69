"""What a rule must not be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from galvo.errors import SettingsError
from galvo.plugin import PluginSettings
from galvo.settings import validated
from galvo_monitor.alerts import RULES, Rule, RuleProblem, Silence, rules_of
from galvo_monitor.alerts.sentences import sentence
from tests.plugins.monitor.alerts.stand import engine, rule

BAD: list[tuple[dict[str, Any], str]] = [
    ({"window": 0}, "greater than 0"),
    ({"window": float("nan")}, "finite"),
    ({"window": float("inf")}, "finite"),
    ({"window": 1e6}, "less than or equal"),
    ({"for": -1}, "greater than or equal to 0"),
    ({"until": 90}, "until = 90 is higher than above = 80, so it would end before it begins: lower it"),
    ({"above": None, "below": 5, "until": 3}, "until = 3 is lower than below = 5.*raise it"),
    ({"below": 5}, "either above or below"),
    ({"above": None}, "either above or below"),
    ({"above": float("nan")}, "finite"),
    ({"metric": "galvo.loop.lag"}, "galvo.loop.lag is a histogram and has no 'value': aggregate is one of rate, busy"),
    ({"metric": "galvo.cache.hits", "aggregate": "p95"}, "is a counter and has no 'p95'"),
    ({"aggregate": "p42"}, "Input should be 'value'"),
    ({"of": "sum", "aggregate": "p95"}, "aggregate that adds up"),
    ({"of": "share"}, "attributes that say whose share"),
    ({"of": "sum", "over": "max"}, "takes over = 'last' or 'mean'"),
    ({"least": 3}, "least is for of = 'share' only"),
    ({"name": "two words"}, "match pattern"),
    ({"name": ""}, "match pattern"),
    ({"labels": {"a b": "x"}}, "label 'a b' has to be"),
    ({"labels": {"severity": "x"}}, "label 'severity' is set by galvo"),
    ({"severity": "fatal"}, "'info', 'warning' or 'critical'"),
    ({"threshold": 3}, "Extra inputs"),
]


@pytest.mark.parametrize("given, problem", BAD, ids=[str(given) for given, _ in BAD])
def test_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        rule(**given)


def test_settings_say_it_in_a_sentence() -> None:
    class Settings(PluginSettings):
        rules: tuple[Rule, ...] = ()

    with pytest.raises(SettingsError) as error:
        validated(Settings, {"rules": [{"name": "High", "metric": "x", "above": 1, "until": 2}]}, "monitor")
    assert str(error.value) == (
        "[monitor] rules.0: rule High: until = 2 is higher than above = 1, so it would end before it begins: lower it"
    )


def test_names_twice() -> None:
    with pytest.raises(RuleProblem, match="two rules are called High: rename one"):
        rules_of([rule(), rule(metric="y")])
    with pytest.raises(RuleProblem, match="two rules are called High"):
        engine(rule(), rule())


def test_own_rules_replace_default_ones() -> None:
    own = rule(name="LoopBlocked")
    found = rules_of([own], without=["CacheWrong"])
    assert len(found) == len(RULES) - 1
    assert own in found
    with pytest.raises(RuleProblem, match="no default rule 'CacheWorng' to leave out; did you mean 'CacheWrong'"):
        rules_of(without=["CacheWorng"])


def test_default_rules() -> None:
    """Few, patient, and none flaps."""
    assert len(RULES) <= 12
    for one in RULES:
        assert one.for_ >= 120, one.name
        assert one.back != one.threshold or one.keep_firing_for, one.name
        assert one.sentence, one.name


def test_silences() -> None:
    with pytest.raises(ValidationError, match="is not later than start"):
        Silence(alert="A", start="2026-11-28T20:00:00Z", end="2026-11-28T20:00:00Z")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="timezone"):
        Silence(end="2026-11-28T20:00:00")  # type: ignore[arg-type]


def test_sentences() -> None:
    lag = rule(metric="galvo.loop.lag", aggregate="p99", above=0.25, sentence="{value} of {threshold} in {a.b}, {no}")
    assert sentence(lag, (("a.b", "{value}\n" + "x" * 100),), 0.5) == f"500 ms of 250 ms in {{value}}?{'x' * 71}…, ?"
    assert sentence(rule(), (("a", "1"),), 90.0) == "x of a 1 is 90, above 80"
    assert sentence(rule(metric="system.cpu.utilization", above=0.5), (), 0.9) == (
        "system.cpu.utilization is 90 %, above 50 %"
    )
    assert sentence(rule(no_data="fire"), (), None) == "There is no data of x"
