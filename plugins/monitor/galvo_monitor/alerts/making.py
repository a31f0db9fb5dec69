"""Everything that judges and tells, from what the settings say."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from galvo_monitor.alerts.alerting import Alerting
from galvo_monitor.alerts.engine import REPEAT, Engine
from galvo_monitor.alerts.notifying import Alertmanager, Notifier, Sender, Webhook
from galvo_monitor.alerts.rule import Rule
from galvo_monitor.alerts.rules import rules_of
from galvo_monitor.alerts.silence import Silence
from galvo_monitor.alerts.statefile import StateFile


def alerting_of(
    *,
    log: logging.Logger,
    interval: float,
    rules: Sequence[Rule] = (),
    without: Sequence[str] = (),
    silences: Sequence[Silence] = (),
    repeat: float = REPEAT,
    file: str = "",
    webhook: str = "",
    webhook_key: str = "",
    alertmanagers: Sequence[str] = (),
    shared: bool = False,
) -> Alerting:
    """`interval` and `repeat` are seconds. Raises RuleProblem, which says what to change; "" is none."""
    engine = Engine(rules_of(rules, without), log=log, interval=interval, repeat=repeat, silences=silences)
    notifiers: list[Notifier] = [Alertmanager(url, interval=interval) for url in alertmanagers]
    if webhook:
        notifiers.append(Webhook(webhook, key=webhook_key.encode()))
    senders = [Sender(notifier, log) for notifier in notifiers]
    return Alerting(engine, senders, log, file=StateFile(Path(file)) if file else None, shared=shared)


def looked_at(rules: Iterable[Rule]) -> set[tuple[str, str]]:
    """Metrics and aggregates that have to be kept for `rules`."""
    return {(rule.metric, rule.aggregate) for rule in rules}
