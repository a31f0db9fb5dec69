"""The keys under `[pool]`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import asyncpg
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
    max_size: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto", description='Connections at most, or "auto": what the server has for this process.'
    )
    acquire_timeout: float = Field(30, gt=0, description="Seconds a query waits for a free connection.")
    connect_timeout: float = Field(10, gt=0, description="Seconds a new connection may take.")
    max_waiting: int | None = Field(None, ge=0, description="Queries that may wait for one; more are refused at once.")
    max_lifetime: float = Field(3600, ge=0, description="Seconds until a connection is replaced, about; 0: never.")
    check_after_idle: float = Field(30, ge=0, description="Seconds of idleness after which one is asked if it lives.")
    leak_after: float = Field(300, ge=0, description="Seconds until one lent and not used is reported; 0: never.")
    reclaim_after: float = Field(
        0, ge=0, description="Seconds until one that is lent is closed, whatever it does; 0: never."
    )
    replicas: list[SecretStr] = Field([], description="URLs of standbys, which answer reads that nobody may keep.")
    max_lag: float = Field(1, gt=0, description="Seconds by which a standby may show others' writes later.")
    reset: Literal["needed", "always"] = Field(
        "needed", description='Clean connections before the next use when the statement analysis says so, or "always".'
    )
    command_timeout: float | None = Field(
        None, gt=0, description="Seconds a statement may take unless the call says otherwise."
    )
    server_settings: dict[str, str] = Field({}, description="PostgreSQL parameters for every connection of the pool.")

    def of_pool(self) -> dict[str, Any]:
        """The keywords of a `Pool`."""
        return {
            "min_size": self.min_size,
            "max_size": self.max_size,
            "max_queries": 50_000,
            "max_inactive_connection_lifetime": 300.0,
            "loop": None,
            "connection_class": asyncpg.Connection,
            "record_class": asyncpg.Record,
            "acquire_timeout": self.acquire_timeout,
            "max_waiting": self.max_waiting,
            "max_lifetime": self.max_lifetime,
            "check_after_idle": self.check_after_idle,
            "leak_after": self.leak_after,
            "reclaim_after": self.reclaim_after,
            "reset_when": self.reset,
        }

    @model_validator(mode="after")
    def _sizes(self) -> PoolSettings:
        if self.max_size != "auto" and self.min_size > self.max_size:
            raise ValueError(f"min_size = {self.min_size} is larger than max_size = {self.max_size}")
        return self
