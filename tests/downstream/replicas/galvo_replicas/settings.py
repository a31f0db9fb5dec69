"""The keys under `[replicas]`, beside those that every plugin has."""

from galvo import PluginSettings
from pydantic import Field


class ReplicasSettings(PluginSettings):
    slow: float = Field(1, gt=0, description="Seconds from which a query counts as slow.")
