"""A rule whose metric never comes is most often a typing error."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from galvo_monitor.alerts.defaults import RULES
from galvo_monitor.alerts.rule import Rule, nearest
from galvo_monitor.catalogue import METRICS

LOOKS = 20
"""Without data, and then it is said: ten minutes at 30 s."""


class Unknown:
    def __init__(self, rules: Sequence[Rule], log: logging.Logger) -> None:
        """Of `rules`; default ones are for plugins that need not be on."""
        self._waiting = {rule.name: 0 for rule in rules if rule not in RULES}
        self._log = log

    def look(self, rule: Rule, found: bool) -> None:
        """`found`: there is data."""
        if rule.name not in self._waiting:
            return
        self._waiting[rule.name] += 1
        if found or self._waiting[rule.name] >= LOOKS:
            del self._waiting[rule.name]
        if found or rule.name in self._waiting:
            return
        known = [name for name in METRICS if name != rule.metric]
        hint = "" if rule.metric in METRICS else nearest(rule.metric, known)
        attributes = f" with attributes {rule.attributes}" if rule.attributes else ""
        self._log.warning(
            "rule %s never had any data of %s (%s)%s, so it cannot fire%s",
            rule.name, rule.metric, rule.aggregate, attributes, hint,
        )  # fmt: skip
