"""What an alert says."""

from __future__ import annotations

import re

from galvo_local import printable
from galvo_monitor.alerts.rule import Rule
from galvo_monitor.alerts.source import Labels
from galvo_monitor.catalogue import metric
from galvo_monitor.insights.words import duration, share, size

FIELD = re.compile(r"\{([^{}]+)\}")
LONGEST = 80
"""Characters of an attribute: anybody may have made it up."""


def sentence(rule: Rule, labels: Labels, value: float | None) -> str:
    """Filled in; what an alert does not have is "?"."""
    if value is None and rule.no_data == "fire":
        return f"There is no data of {rule.metric}"
    given = {
        "value": "unknown" if value is None else figure(rule, value),
        "threshold": figure(rule, rule.threshold),
        **{name: short(text) for name, text in labels},
    }
    return FIELD.sub(lambda found: given.get(found[1], "?"), rule.sentence or _default(rule, labels))


def figure(rule: Rule, value: float) -> str:
    """With the unit of what the rule is about."""
    known = metric(rule.metric, rule.aggregate)
    if rule.of == "share" or (rule.aggregate == "value" and known.unit == "1"):
        return share(value)
    if rule.aggregate == "rate":
        return f"{value:.3g}/s"
    if rule.aggregate == "busy":
        return share(value)
    if known.unit == "s":
        return duration(value)
    return size(value) if known.unit.partition("/")[0] == "By" else f"{value:,.6g}"


def _default(rule: Rule, labels: Labels) -> str:
    of = ", ".join(f"{name} {{{name}}}" for name, _ in labels)
    aggregate = "" if rule.aggregate == "value" else f" {rule.aggregate}"
    where = "above" if rule.above is not None else "below"
    return f"{rule.metric}{aggregate}{of and f' of {of}'} is {{value}}, {where} {{threshold}}"


def short(text: str) -> str:
    """Plain, and no longer than anybody reads."""
    shown = printable(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
