"""Reads what a rule asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from galvo_monitor.alerts.rule import ADDABLE, Over, Rule
from galvo_monitor.catalogue import metric
from galvo_monitor.series import TOTAL, Series

Labels = tuple[tuple[str, str], ...]
"""Attributes, sorted by name: what tells the alerts of one rule apart."""
NONE: Mapping[str, str] = {}
WHOLE = TOTAL[0]
OVER: dict[Over, Callable[[Sequence[float]], float]] = {
    "last": lambda values: values[-1],
    "mean": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
}


class Source(Protocol):
    """The store, as far as it is needed here."""

    def select(self, metric: str, aggregate: str, attributes: Mapping[str, str] = ...) -> list[Series]: ...

    def window(self, series: Series, now: float, seconds: float) -> list[float]: ...


def read(rule: Rule, source: Source, now: float, interval: float) -> dict[Labels, float]:
    """What `rule` is about, by labels; without what has no data. `now`: seconds since the epoch."""
    seconds = max(rule.window, interval)

    def values(wanted: Mapping[str, str]) -> dict[Series, list[float]]:
        found = {one: source.window(one, now, seconds) for one in _select(rule, source, wanted)}
        return {one: values for one, values in found.items() if values}

    if rule.of == "each":
        found = {one: OVER[rule.over](listed) for one, listed in values(_each(rule)).items()}
        if whole(rule) and not found:
            return _without_total(rule, [OVER[rule.over](listed) for listed in values(NONE).values()])
        return {_labels(one): value for one, value in found.items()}
    length = 1 if rule.aggregate == "value" else round(seconds / interval)
    part = values(rule.attributes)
    if rule.of == "sum":
        return {(): _sum(rule.over, part, length)} if part else {}
    every = values(NONE)
    length = max(length, *map(len, every.values()), 1)
    sum_of_all = _sum(rule.over, every, length)
    return {(): _sum(rule.over, part, length) / sum_of_all} if sum_of_all > 0 and sum_of_all >= rule.least else {}


def needed(rules: Iterable[Rule]) -> Callable[[Series], bool]:
    """Whether a series is one that any of `rules` reads."""
    named: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for rule in rules:
        named.setdefault((rule.metric, rule.aggregate), []).append(NONE if rule.of == "share" else _each(rule))
    return lambda series: any(_fits(series, wanted) for wanted in named.get((series.metric, series.aggregate), ()))


def whole(rule: Rule) -> bool:
    """Whether it is about all that a histogram holds."""
    return metric(rule.metric, rule.aggregate).kind == "histogram" and not rule.attributes and rule.of == "each"


def _each(rule: Rule) -> Mapping[str, str]:
    return dict(TOTAL) if whole(rule) else rule.attributes


def _without_total(rule: Rule, found: list[float]) -> dict[Labels, float]:
    """All of a histogram whose total is not kept: the sum of its series, or where that means nothing the worst."""
    if not found:
        return {}
    if rule.aggregate in ADDABLE:
        return {(): sum(found)}
    return {(): max(found) if rule.above is not None else min(found)}


def _select(rule: Rule, source: Source, wanted: Mapping[str, str]) -> list[Series]:
    exact = {name: value for name, value in wanted.items() if value and not value.endswith("*")}
    return [series for series in source.select(rule.metric, rule.aggregate, exact) if _fits(series, wanted)]


def _fits(series: Series, wanted: Mapping[str, str]) -> bool:
    attributes = dict(series.attributes)
    if WHOLE in series.attributes and WHOLE not in wanted.items():
        return False
    return all(_matches(attributes.get(name), value) for name, value in wanted.items())


def _matches(attribute: str | None, wanted: str) -> bool:
    """`attribute`: None when there is none."""
    if attribute is None or not wanted:
        return not attribute and not wanted
    return attribute.startswith(wanted[:-1]) if wanted.endswith("*") else attribute == wanted


def _sum(over: Over, found: Mapping[Series, list[float]], length: int) -> float:
    """`length`: moments that the window has; in those before a series began, nothing was counted."""
    if over == "last":
        return sum(values[-1] for values in found.values())
    return sum(map(sum, found.values())) / max(length, *map(len, found.values()), 1)


def _labels(series: Series) -> Labels:
    return tuple(sorted(pair for pair in series.attributes if pair != WHOLE))
