"""`rules.yml`: the same rules for Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterable

from galvo_monitor.alerts.promql import promql, seconds
from galvo_monitor.alerts.rule import Rule
from galvo_monitor.alerts.sentences import FIELD
from galvo_monitor.catalogue import metric
from galvo_monitor.names import label


def rules_yml(rules: Iterable[Rule], interval: float = 30.0) -> str:
    """YAML. `interval`: seconds between two looks of Prometheus."""
    lines = ["groups:", "  - name: galvo", f"    interval: {seconds(interval)}", "    rules:"]
    for rule in rules:
        lines += _rule(rule, interval)
    if lines[-1] == "    rules:":
        lines[-1] += " []"
    return "\n".join(lines) + "\n"


def _rule(rule: Rule, interval: float) -> list[str]:
    lines = [f"      - alert: {_text(rule.name)}", f"        expr: {_text(promql(rule, interval))}"]
    if rule.for_:
        lines.append(f"        for: {seconds(rule.for_)}")
    if rule.keep_firing_for:
        lines.append(f"        keep_firing_for: {seconds(rule.keep_firing_for)}")
    lines += ["        labels:", f"          severity: {rule.severity}"]
    lines += [f"          {name}: {_text(_literal(value))}" for name, value in sorted(rule.labels.items())]
    return [*lines, "        annotations:", f"          summary: {_text(_template(rule))}"]


def _template(rule: Rule) -> str:
    """The sentence, with Prometheus' own fields."""
    text = rule.sentence or f"{rule.metric} {rule.aggregate} is {{value}}, and the threshold {{threshold}}"
    made, end = "", 0
    for found in FIELD.finditer(text):
        made += _literal(text[end : found.start()]) + _field(rule, found[1])
        end = found.end()
    return made + _literal(text[end:])


def _field(rule: Rule, name: str) -> str:
    if name in ("value", "threshold"):
        return f"{{{{ {'$value' if name == 'value' else repr(rule.threshold)} | {_figure(rule)} }}}}"
    return f"{{{{ $labels.{label(name)} }}}}"


def _figure(rule: Rule) -> str:
    known = metric(rule.metric, rule.aggregate)
    if rule.of == "share" or rule.aggregate == "busy" or (rule.aggregate == "value" and known.unit == "1"):
        return "humanizePercentage"
    if rule.aggregate != "rate" and known.unit == "s":
        return "humanizeDuration"
    return "humanize1024" if rule.aggregate != "rate" and known.unit.startswith("By") else "humanize"


def _literal(text: str) -> str:
    """What Prometheus takes for no template."""
    return text.replace("{", '{{ "{" }}')


def _text(text: str) -> str:
    """JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)
