"""It behaves as every plugin must: galvo's own proof."""

from galvo.testing import PluginContract

from galvo_tagger import TaggerPlugin


class TestContract(PluginContract):
    plugin = TaggerPlugin
    changed = {"application": "shop"}
