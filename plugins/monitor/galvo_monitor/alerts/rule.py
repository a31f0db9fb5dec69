"""A rule: which number, how bad is bad, for how long, and who cares."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from galvo_monitor.alerts.errors import RuleProblem
from galvo_monitor.catalogue import HISTOGRAMS, METRICS, SHARES
from galvo_monitor.series import OF, Aggregate
from galvo_monitor.view import Severity

Seconds = Annotated[float, Field(ge=0, le=7 * 86_400, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Over = Literal["last", "mean", "min", "max"]
NoData = Literal["keep", "resolve", "fire"]
RESERVED = {"alertname", "alertstate", "severity", "le", "quantile"}
"""Labels that mean something to Prometheus and Alertmanager."""
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
ADDABLE = ("value", "rate", "busy")
"""Aggregates whose sum over several series means something."""


class Rule(BaseModel):
    """One of `[[monitor.rules]]`. It fires when the number has been beyond its threshold for a while.

    With `until` it goes on until the number is back behind that one (hysteresis).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$", description="What the alert is called: PoolExhausted.")
    metric: str = Field(min_length=1, max_length=200, description="By OpenTelemetry's name: galvo.loop.lag.")
    aggregate: Aggregate = Field(
        default="value",
        description='Of the metric in each interval: "value" of a gauge, "rate" of a counter, and "rate", "busy" '
        '(seconds a second), "mean", "p50", "p95", "p99" or "max" of a histogram.',
    )
    attributes: dict[str, str] = Field(
        default_factory=dict,
        description='Only series with these attributes; "5*": that begin so, "*": any value, "": without it.',
    )
    of: Literal["each", "sum", "share"] = Field(
        default="each",
        description="An alert for each series, one for their sum, or one for their share in the sum of all series of "
        "the metric. Each of a histogram without attributes is all of it.",
    )
    least: float = Field(
        default=0,
        ge=0,
        allow_inf_nan=False,
        description='With of = "share": the sum below which there is no share to speak of.',
    )
    window: float = Field(
        default=60,
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds that are looked at; at least one interval is.",
    )
    over: Over = Field(default="last", description='Of the values in the window: "last", "mean", "min" or "max".')
    above: Number | None = Field(default=None, description="It fires above this, or else")
    below: Number | None = Field(default=None, description="below this.")
    until: Number | None = Field(
        default=None,
        description="It goes on until the number is back at this or better; default: the threshold itself.",
    )
    for_: Seconds = Field(default=120, validation_alias="for", description="Seconds for which it has to be so.")
    keep_firing_for: Seconds = Field(default=0, description="Seconds for which it has to be over.")
    severity: Severity = Field(default="warning", description='"info", "warning" or "critical".')
    no_data: NoData = Field(
        default="keep",
        description='Without any data what fires goes on for a day ("keep"), is over ("resolve"), or that is an alert '
        'itself ("fire").',
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Told along with the alert, to route it by.")
    group: str = Field(default="", description="A critical alert mutes those of its group that are less severe.")
    sentence: str = Field(
        default="", max_length=500, description="What to say: {value}, {threshold} and {any.attribute} are filled in."
    )

    @model_validator(mode="after")
    def _possible(self) -> Rule:
        for problem in (_thresholds(self), _aggregate(self), _summed(self), _reached(self), _labels(self)):
            if problem:
                raise RuleProblem(f"rule {self.name}: {problem}")
        return self

    @property
    def threshold(self) -> float:
        """Beyond which it fires."""
        return self.above if self.above is not None else self.below or 0.0

    @property
    def back(self) -> float:
        """Up to which it goes on."""
        return self.threshold if self.until is None else self.until

    def beyond(self, value: float, firing: bool) -> bool:
        """Whether `value` is bad. NaN never is."""
        bound = self.back if firing else self.threshold
        return value > bound if self.above is not None else value < bound

    def worse(self, value: float, than: float) -> bool:
        return value > than if self.above is not None else value < than


def _thresholds(rule: Rule) -> str:
    if (rule.above is None) == (rule.below is None):
        return "give either above or below"
    if rule.until is None:
        return ""
    if rule.above is not None and rule.until > rule.above:
        return (
            f"until = {rule.until:g} is higher than above = {rule.above:g}, so it would end before it begins: lower it"
        )
    if rule.below is not None and rule.until < rule.below:
        return (
            f"until = {rule.until:g} is lower than below = {rule.below:g}, so it would end before it begins: raise it"
        )
    return ""


def _aggregate(rule: Rule) -> str:
    known = METRICS.get(rule.metric)
    if known is None or rule.aggregate in OF[known.kind]:
        return ""
    those = ", ".join(OF[known.kind])
    return f"{rule.metric} is a {known.kind} and has no {rule.aggregate!r}: aggregate is one of {those}"


def _summed(rule: Rule) -> str:
    if rule.of == "each":
        return "least is for of = 'share' only" if rule.least else ""
    if rule.aggregate not in ADDABLE:
        return (
            f"of = {rule.of!r} takes an aggregate that adds up ({', '.join(ADDABLE)}), and {rule.aggregate!r} does not"
        )
    if rule.over not in ("last", "mean"):
        return f"of = {rule.of!r} takes over = 'last' or 'mean'"
    if rule.of == "share" and not rule.attributes:
        return "of = 'share' takes attributes that say whose share"
    return "least is for of = 'share' only" if rule.least and rule.of == "sum" else ""


def _reached(rule: Rule) -> str:
    """A threshold that the number never passes, or never comes back from, is in another unit than was thought."""
    least, most = _range(rule)
    what = f"the share of {rule.metric}" if rule.of == "share" else f"{rule.metric} ({rule.aggregate})"
    if rule.above is not None and rule.above >= most:
        return f"{what} is never above {most:g}, so above = {rule.above:g} cannot fire: lower it"
    if rule.below is not None and rule.below <= least:
        return f"{what} is never below {least:g}, so below = {rule.below:g} cannot fire: raise it"
    if rule.above is not None and rule.back < least:
        return f"{what} is never below {least:g}, so it would not end at {rule.back:g}: raise it"
    if rule.below is not None and rule.back > most:
        return f"{what} is never above {most:g}, so it would not end at {rule.back:g}: lower it"
    return ""


def _range(rule: Rule) -> tuple[float, float]:
    if rule.of == "share" or (rule.of == "each" and rule.metric in SHARES):
        return 0.0, 1.0
    positive = rule.aggregate in ("rate", "busy") or rule.metric in HISTOGRAMS or rule.metric in SHARES
    return (0.0 if positive else float("-inf")), float("inf")


def _labels(rule: Rule) -> str:
    for name in rule.labels:
        if not LABEL.fullmatch(name) or name.startswith("__"):
            return f"label {name!r} has to be of a-z, 0-9 and _, and begin with a letter"
        if name in RESERVED:
            return f"label {name!r} is set by galvo or Prometheus: call it something else"
    return ""


def nearest(name: str, known: list[str]) -> str:
    """ "; did you mean ...?", or nothing."""
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""
