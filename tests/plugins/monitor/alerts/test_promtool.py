"""The states against Prometheus' own, by `promtool test rules`."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from galvo_monitor.alerts import RULES, Engine, Rule, rules_yml
from galvo_monitor.alerts import tracked as looked_at
from galvo_monitor.alerts.machine import step
from galvo_monitor.series import Series
from tests.plugins.monitor.alerts.debian import promtool
from tests.plugins.monitor.alerts.stand import START, STEP, Numbers, engine, rule

STEPS = 240
NAMES = ("x", "y")


def generated(seed: int, steps: int = STEPS) -> tuple[list[Rule], Numbers]:
    """Every kind of rule, and numbers that stay near its thresholds, with gaps."""
    chance = random.Random(seed)
    made = [_rule(chance, number) for number in range(12)]
    walks = {Series(name, "value", (("a", which),)): _walk(chance) for name in NAMES for which in ("1", "2")}
    values = {one: walk[:steps] for one, walk in walks.items()}
    return made, Numbers(values)


def _rule(chance: random.Random, number: int) -> Rule:
    up = chance.choice((60, 70, 80))
    back = chance.choice((None, 10, 20))
    sign, way = chance.choice((("above", -1), ("below", 1)))
    over = chance.choice(("last", "last", "mean", "min", "max"))
    return rule(
        name=f"R{number}",
        metric=chance.choice(NAMES),
        attributes=chance.choice(({}, {"a": "1"}, {"a": "*"}, {"a": "2*"}, {"b": ""})),
        over=over,
        window=60 if over == "last" and chance.random() < 0.7 else chance.choice((150, 270)),
        until=None if back is None else up + way * back,
        keep_firing_for=chance.choice((0, 0, 60, 300)),
        no_data=chance.choice(("keep", "resolve")),
        labels=chance.choice(({}, {"team": "night"})),
        **{sign: up, "for": chance.choice((0, 60, 120, 300)), **({"above": None} if sign == "below" else {})},
    )


def _walk(chance: random.Random) -> list[float | None]:
    """Whole numbers, so that many are just the threshold."""
    made: list[float | None] = []
    at = 70.0
    while len(made) < STEPS:
        at = min(100.0, max(40.0, at + chance.choice((-20, -10, -10, 0, 0, 10, 10, 20))))
        gap = chance.random() < 0.06
        made += [None] * chance.randrange(1, 8) if gap else [at] * chance.choice((1, 1, 1, 2, 6))
    return made[:STEPS]


def written(folder: Path, rules: Sequence[Rule], numbers: Numbers, judge: Engine) -> Path:
    """A test of promtool's that expects what `judge` says, after each step."""
    (folder / "rules.yml").write_text(rules_yml(rules, STEP))
    expected = []
    for number in range(len(next(iter(numbers.values.values())))):
        judge.evaluate(START + number * STEP, numbers)
        samples = [
            {"labels": _labels(alert.name, alert.severity, alert.state, alert.labels), "value": 1}
            for alert in judge.alerts()
            if alert.state != "resolved"
        ]
        expected.append({"expr": "ALERTS", "eval_time": f"{number}m", "exp_samples": samples})
    given = [
        {
            "series": _labels_of(one),
            "values": " ".join("stale" if value is None else f"{value:g}" for value in values),
        }
        for one, values in numbers.values.items()
    ]
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": given, "promql_expr_test": expected}],
    }
    (folder / "test.yml").write_text(json.dumps(test))
    return folder / "test.yml"


def _labels_of(one: Series) -> str:
    return f"{one.metric}{{{','.join(f'{name}={json.dumps(value)}' for name, value in one.attributes)}}}"


def _labels(name: str, severity: str, state: str, others: Sequence[tuple[str, str]]) -> str:
    pairs = {"alertname": name, "severity": severity, "alertstate": state, **dict(others)}
    return f"ALERTS{{{','.join(f'{key}={json.dumps(value)}' for key, value in sorted(pairs.items()))}}}"


@pytest.mark.parametrize("seed", [1, 2])
def test_every_state_of_every_moment_is_prometheus(tmp_path: Path, seed: int) -> None:
    """Of 12 rules and about 1.5 series each, twice: more than 5,000 evaluations."""
    rules, numbers = generated(seed)
    judge = engine(*rules)
    path = written(tmp_path, rules, numbers, judge)
    done = promtool("test", "rules", path.name, folder=tmp_path)
    assert done.returncode == 0, done.stdout[:3000] + done.stderr[:3000]
    assert numbers.asked > 2500


def test_a_threshold_that_is_met_and_not_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rule, "beyond", lambda self, value, firing: value >= (self.back if firing else self.threshold))
    assert not _agrees(tmp_path)


@pytest.mark.parametrize("what", ["hold", "keep", "better"])
def test_a_machine_that_is_wrong_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    def wrong(course, bad, now, *, hold, keep):  # type: ignore[no-untyped-def]
        if what == "better" and course is not None and bad:
            since = course.better
            found = step(course, bad, now, hold=hold, keep=keep)
            course.better = since
            return found
        return step(course, bad, now, hold=hold + (what == "hold"), keep=keep + (what == "keep"))

    monkeypatch.setattr(looked_at, "step", wrong)
    assert not _agrees(tmp_path)


def _agrees(folder: Path) -> bool:
    rules, numbers = generated(1, steps=100)
    path = written(folder, rules, numbers, engine(*rules))
    done = promtool("test", "rules", path.name, folder=folder)
    assert "FAILED" in done.stdout + done.stderr or done.returncode == 0
    return done.returncode == 0


def test_no_data_at_all(tmp_path: Path) -> None:
    """ "fire", where it is the same: there was no series, and then there is one."""
    values = [None] * 5 + [50.0] * 5 + [90.0] * 5 + [None] * 15
    rules = [rule(no_data="fire", metric="x", **{"for": 120})]
    numbers = Numbers({Series("x", "value"): values})
    done = promtool("test", "rules", written(tmp_path, rules, numbers, engine(*rules)).name, folder=tmp_path)
    assert done.returncode == 0, done.stdout[:3000] + done.stderr[:3000]


def test_what_galvo_writes_is_valid(tmp_path: Path) -> None:
    own = [
        rule(name="Odd", metric="some.thing", attributes={"a.b": 'x"\\y', "c": "", "d": "4*", "e": "*"}, of="sum"),
        rule(name="Text", sentence='{{ nobody }} {{value}} {a.b} {{ "quoted" }} \u2028 ä', labels={"team": "{{x}}"}),
        rule(name="Lowest", metric="galvo.loop.lag", aggregate="p99", over="min", window=0.5, **{"for": 0.5}),
        rule(name="Part", metric="db.client.operation.duration", aggregate="busy", attributes={"error.type": "*"}),
        rule(name="Mean", metric="my.time", aggregate="mean", attributes={"kind": "a"}, no_data="fire"),
        rule(name="Share", metric="x", of="share", attributes={"a": "1"}, above=0.5, least=2),
    ]
    (tmp_path / "rules.yml").write_text(rules_yml([*RULES, *own]), "utf-8")
    (tmp_path / "none.yml").write_text(rules_yml([]))
    done = promtool("check", "rules", "rules.yml", "none.yml", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES) + len(own)} rules found" in done.stdout
