"""Tells of alerts."""

from galvo_monitor.alerts.notifying.notifier import Alertmanager, Notifier, Webhook
from galvo_monitor.alerts.notifying.sender import Sender

__all__ = ["Alertmanager", "Notifier", "Sender", "Webhook"]
