"""The keys under `[monitor]`."""

from __future__ import annotations

from pydantic import Field

from galvo import PluginSettings


class MonitorSettings(PluginSettings):
    interval: float = Field(30.0, ge=0.1, le=3600, description="Seconds between two collections.")
