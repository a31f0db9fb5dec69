"""galvo's plugin `webhook`."""

from galvo_webhook.plugin import WebhookPlugin
from galvo_webhook.settings import Rule, WebhookSettings

__all__ = ["Rule", "WebhookPlugin", "WebhookSettings"]
