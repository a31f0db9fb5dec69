"""The alerts that the settings ask for."""

from __future__ import annotations

from pathlib import Path

from galvo import Context
from galvo_monitor.alerts import Alerting, Engine, StateFile, rules_of
from galvo_monitor.alerts.notifying import Alertmanager, Notifier, Sender, Webhook
from galvo_monitor.settings import MonitorSettings


def alerting_of(settings: MonitorSettings, context: Context) -> Alerting:
    """Raises RuleProblem for addresses that are none."""
    engine = Engine(
        rules_of(settings.rules, settings.without),
        log=context.log,
        interval=settings.interval,
        repeat=settings.repeat,
        silences=settings.silences,
    )
    return Alerting(
        engine,
        [Sender(notifier, context.log) for notifier in _notifiers(settings)],
        context.log,
        file=StateFile(Path(settings.state)) if settings.state else None,
        shared=bool(settings.redis.get_secret_value()),
    )


def _notifiers(settings: MonitorSettings) -> list[Notifier]:
    made: list[Notifier] = []
    if webhook := settings.webhook.get_secret_value():
        made.append(Webhook(webhook, key=settings.webhook_key.get_secret_value().encode()))
    if alertmanager := settings.alertmanager.get_secret_value():
        made.append(Alertmanager(alertmanager, interval=settings.interval))
    return made
