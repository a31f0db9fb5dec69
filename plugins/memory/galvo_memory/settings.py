"""The keys under `[memory]`."""

from __future__ import annotations

from pydantic import Field

from galvo import PluginSettings


class MemorySettings(PluginSettings):
    interval: float = Field(5.0, gt=0, description="Seconds between two looks at memory.")
