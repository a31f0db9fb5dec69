"""The keys under `[monitor]`."""

from __future__ import annotations

from pydantic import Field, SecretStr, model_validator

from galvo import PluginSettings


class MonitorSettings(PluginSettings):
    interval: float = Field(30.0, ge=0.1, le=3600, description="Seconds between two collections.")
    series: int = Field(128, ge=1, le=10_000, description="Lines whose past is kept; 45 KiB each after 90 days.")
    attributes: int = Field(
        200, ge=1, le=10_000, description='Series of one metric; what comes above is counted as "other".'
    )
    database: bool = Field(
        True, description="Ask the server how it is, over a connection of its own, which is one more than the pool's."
    )
    disks: tuple[str, ...] = Field(("/",), description="Paths on the disks whose free space is watched.")
    history: bool = Field(
        False, description="Keep 5-minute and hourly figures in the database too, in the table galvo.monitor_history."
    )
    redis: SecretStr = Field(
        SecretStr(""),
        description="Add up the numbers of all processes through this Redis, as redis://host:port/db; empty: no.",
    )
    signing_key: SecretStr = Field(
        SecretStr(""),
        description="32 bytes in base64, the same in all processes, so that nobody else can write to that Redis what "
        "they would believe: openssl rand -base64 32",
    )
    namespace: str = Field("default", description="What processes that share a Redis, or a history, have in common.")
    answer: bool = Field(
        True, description="Answer this user's and root's `galvo top` and `galvo status`, on a socket only they can use."
    )

    @model_validator(mode="after")
    def _signed(self) -> MonitorSettings:
        if self.redis.get_secret_value() and not self.signing_key.get_secret_value():
            raise ValueError("redis is set, so signing_key has to be: openssl rand -base64 32")
        return self
