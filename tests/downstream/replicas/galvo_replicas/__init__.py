"""galvo's plugin `replicas`."""

from galvo_replicas.plugin import ReplicasPlugin
from galvo_replicas.settings import ReplicasSettings

__all__ = ["ReplicasPlugin", "ReplicasSettings"]
