"""A rule as Prometheus would write it."""

from __future__ import annotations

import json
import re

from galvo import Metric
from galvo_monitor.alerts.rule import Rule
from galvo_monitor.alerts.source import whole
from galvo_monitor.catalogue import metric
from galvo_monitor.names import QUANTILES, expression, label, selector

OVER = {"last": "last_over_time", "mean": "avg_over_time", "min": "min_over_time", "max": "max_over_time"}
SCRAPES = 4
"""That a rate needs, to be there when one of them fails."""


def promql(rule: Rule, interval: float = 30.0) -> str:
    """With hysteresis, and by what happens without data, as far as Prometheus knows either: through its own ALERTS.

    `interval`: seconds between two scrapes. Differs from the engine here: "keep" has no end, and what "fire" tells has
    the labels of `absent()`.
    """
    value = _value(rule, interval)
    sign = ">" if rule.above is not None else "<"
    firing = f'ALERTS{{alertname={json.dumps(rule.name)},alertstate="firing"}}'
    ignored = f"ignoring({', '.join(['alertname', 'alertstate', 'severity', *sorted(rule.labels)])})"
    made = f"{value} {sign} {rule.threshold!r}"
    if rule.back != rule.threshold:
        made = f"{made} or ({value} {sign} {rule.back!r} and {ignored} {firing})"
    if rule.no_data == "keep":
        made = f'{made} or label_replace({firing} unless {ignored} {value}, "alertstate", "", "", "")'
    if rule.no_data == "fire":
        made = f"{made} or absent({_selector(rule, _part(rule))})"
    return made


def _value(rule: Rule, interval: float) -> str:
    """What is compared, in parentheses where needed."""
    known = metric(rule.metric, rule.aggregate)
    if rule.of == "share":
        part, every = _sum(rule, known, interval), _sum(rule, known, interval, every=True)
        made = f"{part} / {every}"
        return f"({made} and {every} >= {rule.least!r})" if rule.least else f"({made})"
    if rule.of == "sum":
        return f"({_sum(rule, known, interval)})"
    if rule.aggregate == "value":
        return _over(rule, _selector(rule, ""), interval)
    if whole(rule):
        return _coarse(rule, f"({expression(known, rule.aggregate, {}, _rated(rule, interval))})", interval)
    return _coarse(rule, f"({_each(rule, _rated(rule, interval))})", interval)


def _each(rule: Rule, window: str) -> str:
    def rate(part: str) -> str:
        return f"rate({_selector(rule, part, window)})"

    if rule.aggregate in QUANTILES:
        return f"histogram_quantile({QUANTILES[rule.aggregate]}, {rate('_bucket')})"
    if rule.aggregate == "mean":
        return f"{rate('_sum')} / {rate('_count')}"
    return rate("_sum" if rule.aggregate == "busy" else _part(rule))


def _sum(rule: Rule, known: Metric, interval: float, *, every: bool = False) -> str:
    if rule.aggregate == "value":
        return f"sum({_over(rule, selector(known, {}) if every else _selector(rule, ''), interval)})"
    given, matcher = ({}, "") if every else _matchers(rule)
    return expression(known, rule.aggregate, given, _rated(rule, interval), matcher=matcher)


def _over(rule: Rule, selected: str, interval: float) -> str:
    """Of a gauge."""
    if rule.over == "last" and rule.window <= 2 * interval:
        return selected
    return f"{OVER[rule.over]}({selected}[{seconds(max(rule.window, interval))}])"


def _coarse(rule: Rule, made: str, interval: float) -> str:
    """The lowest or highest of several moments; a rate is a mean of its window already."""
    if rule.over not in ("min", "max"):
        return made
    return f"{OVER[rule.over]}({made}[{seconds(max(rule.window, interval))}:{seconds(interval)}])"


def _rated(rule: Rule, interval: float) -> str:
    window = interval if rule.over in ("min", "max", "last") else rule.window
    return seconds(max(window, SCRAPES * interval))


def _part(rule: Rule) -> str:
    return "_count" if metric(rule.metric, rule.aggregate).kind == "histogram" else ""


def _selector(rule: Rule, part: str, window: str = "") -> str:
    given, matcher = _matchers(rule)
    return selector(metric(rule.metric, rule.aggregate), given, part, window, matcher)


def _matchers(rule: Rule) -> tuple[dict[str, str], str]:
    """Attributes with one value, and what PromQL says of the others."""
    given = {name: value for name, value in rule.attributes.items() if not value.endswith("*")}
    return given, ",".join(
        f'{label(name)}!=""' if value == "*" else f"{label(name)}=~{json.dumps(re.escape(value[:-1]) + '.*')}"
        for name, value in sorted(rule.attributes.items())
        if name not in given
    )


def seconds(count: float) -> str:
    """As Prometheus writes durations."""
    return f"{count:.0f}s" if count == int(count) else f"{count * 1000:.0f}ms"
