"""What a rule must not be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from galvo import PluginSettings, SettingsError
from galvo.settings import validated
from galvo_monitor.alerts import RULES, Rule, RuleProblem, Silence, rules_of
from galvo_monitor.alerts.sentences import sentence
from galvo_monitor.settings import MonitorSettings
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
    ({"metric": "system.cpu.utilization"}, r"\(value\) is never above 1, so above = 80 cannot fire: lower it"),
    ({"aggregate": "rate", "of": "share", "attributes": {"a": "*"}}, "the share of x is never above 1, so above = 80"),
    ({"aggregate": "rate", "above": None, "below": 0}, "is never below 0, so below = 0 cannot fire: raise it"),
    ({"metric": "galvo.loop.lag", "aggregate": "p99", "above": None, "below": -1}, "is never below 0, so below = -1"),
    ({"aggregate": "rate", "until": -1}, "is never below 0, so it would not end at -1: raise it"),
    ({"metric": "galvo.cache.hit_ratio", "above": None, "below": 0.5, "until": 50}, "so it would not end at 50: lower"),
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


def test_names_that_differ_in_case_only() -> None:
    with pytest.raises(RuleProblem, match="the rules A and a differ in case only: rename one"):
        rules_of([rule(name="A"), rule(name="a")])
    with pytest.raises(RuleProblem, match="the rules PoolWait and poolwait differ"):
        rules_of([rule(name="poolwait")])


SETTINGS: list[tuple[dict[str, Any], str]] = [
    (
        {"interval": 0.1, "rules": [{"name": "A", "metric": "x", "above": 1, "window": 900}]},
        "rule A: window = 900 is longer than the 288 s of which every value is kept at interval = 0.1: shorten it",
    ),
    ({"webhook": "ftp://host/s3cret"}, "the address of the webhook has to begin with http:// or https:// and a host"),
    ({"webhook": "http://host/s3cret\r\nHost: x"}, "the address of the webhook has spaces or line breaks in it: .*"),
    ({"webhook": "http://host/", "webhook_key": "s3cret"}, "the webhook's key has 6 bytes: give it 16 or more .*"),
    ({"webhook_key": "s3cret" * 3}, "webhook_key signs what the webhook is sent, and there is none: set webhook, too"),
    ({"alertmanager": "localhost:9093"}, "the address of Alertmanager has to begin with http:// or https:// .*"),
]


@pytest.mark.parametrize("given, problem", SETTINGS, ids=[str(given) for given, _ in SETTINGS])
def test_settings_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError) as error:
        validated(MonitorSettings, given, "monitor")
    assert re.search(f"{problem}$", str(error.value))
    assert "s3cret" not in str(error.value)


def test_settings_accepted() -> None:
    """The default rules, whatever the interval; windows as long as what is kept."""
    validated(MonitorSettings, {"interval": 0.1}, "monitor")
    own = {"name": "A", "metric": "x", "above": 1, "window": 86_400}
    validated(MonitorSettings, {"interval": 30, "rules": [own]}, "monitor")


def test_own_rules_replace_default_ones() -> None:
    own = rule(name="LoopBlocked")
    found = rules_of([own], without=["CacheWrong"])
    assert len(found) == len(RULES) - 1
    assert own in found
    with pytest.raises(RuleProblem, match="no default rule 'CacheWorng' to leave out; did you mean 'CacheWrong'"):
        rules_of(without=["CacheWorng"])


def test_default_rules() -> None:
    """Few, patient, and none flaps."""
    assert len(RULES) <= 13
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
