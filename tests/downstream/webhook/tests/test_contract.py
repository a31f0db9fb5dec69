"""It behaves as every plugin must: galvo's own proof."""

from galvo.testing import PluginContract

from galvo_webhook import WebhookPlugin


class TestContract(PluginContract):
    plugin = WebhookPlugin
    settings = {"url": "http://127.0.0.1:9/nobody", "rules": [{"metric": "any", "above": 0}]}
    changed = {"quiet": 1}
