"""The keys under `[replicas]`, beside those that every plugin has."""

from galvo import PluginSettings
from pydantic import Field, SecretStr


class ReplicasSettings(PluginSettings):
    url: SecretStr = Field(SecretStr(""), description="postgresql://user:password@host/database of a standby.")
    max_size: int = Field(10, ge=1, description="Connections to it at most.")
    every: float = Field(0.25, gt=0, description="Seconds between two looks at how far it has come.")
    patience: float = Field(1, gt=0, description="Seconds in which it must lend a connection or answer such a look.")
