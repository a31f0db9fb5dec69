"""The keys under `[index]`."""

from __future__ import annotations

from pydantic import Field

from galvo import PluginSettings


class IndexSettings(PluginSettings):
    slow: float = Field(1.0, gt=0, description="Seconds from which a statement is slow, and its plan is looked at.")
