"""The keys under `[pool]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from galvo import PluginSettings


class PoolSettings(PluginSettings):
    on_error: Literal["skip", "raise", "eject"] = Field(
        "raise", description="What it raises are the database's own errors, so they are passed on."
    )
    required: bool = Field(True, description="Without a pool no SQL runs.")
    url: SecretStr = Field(
        SecretStr(""),
        description="postgresql://user:password@host:port/database; empty uses the embedded server.",
    )
    min_size: int = Field(2, ge=0, description="Connections opened at the start and kept.")
    max_size: int = Field(10, ge=1, description="Connections at most.")
    acquire_timeout: float = Field(30, gt=0, description="Seconds a query waits for a free connection.")
    connect_timeout: float = Field(10, gt=0, description="Seconds a new connection may take.")
    command_timeout: float | None = Field(
        None, gt=0, description="Seconds a statement may take unless the call says otherwise."
    )
    server_settings: dict[str, str] = Field({}, description="PostgreSQL parameters for every connection of the pool.")

    @model_validator(mode="after")
    def _sizes(self) -> PoolSettings:
        if self.min_size > self.max_size:
            raise ValueError(f"min_size = {self.min_size} is larger than max_size = {self.max_size}")
        return self
