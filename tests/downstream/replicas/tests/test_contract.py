"""It behaves as every plugin must: galvo's own proof."""

from galvo.testing import PluginContract

from galvo_replicas import ReplicasPlugin


class TestContract(PluginContract):
    plugin = ReplicasPlugin
    changed = {"slow": 2}
