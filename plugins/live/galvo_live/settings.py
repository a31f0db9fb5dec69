"""The keys under `[live]`."""

from __future__ import annotations

from pydantic import Field, field_validator

from galvo import PluginSettings

LEAST = 0.05
"""Seconds; below it, looking would cost something."""


class LiveSettings(PluginSettings):
    answer: bool = Field(
        True,
        description="Do what this user and root ask for by `galvo enable`, `disable`, `reload`, `changes`, `explain`, "
        "on a Unix socket that only they can use.",
    )
    sighup: bool = Field(
        True,
        description="Read the settings again on SIGHUP, unless the application handles it itself. When its terminal "
        "hangs up, the process ends all the same.",
    )
    watch: float = Field(
        0.25,
        ge=0,
        le=60,
        description="Seconds for which a plugin may block the event loop; then it is named, and that is a fault of it. "
        "0: nobody looks.",
    )

    @field_validator("watch")
    @classmethod
    def _watch(cls, value: float) -> float:
        if 0 < value < LEAST:
            raise ValueError(f"{value:g} is too often: {LEAST:g} at least, or 0")
        return value
