"""The keys under `[index]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from galvo import PluginSettings
from galvo_index.hours import hours


class IndexSettings(PluginSettings):
    slow: float = Field(1.0, gt=0, description="Seconds from which a statement is slow, and its plan is looked at.")
    statements: int = Field(500, ge=10, description="Statements that are told apart; the others are counted together.")
    sample_arguments: int = Field(
        8,
        ge=0,
        le=64,
        description="Arguments kept in memory of each statement, for plans and advice; 0: none.",
    )
    argument_bytes: int = Field(1 << 20, ge=0, description="Bytes that they may take together.")
    show_arguments: bool = Field(False, description="Write arguments and literals of slow statements into the log.")
    explain_slow: bool = Field(True, description="Look at the plans of slow statements, on a connection of its own.")
    explain_timeout: float = Field(2.0, gt=0, le=60, description="Seconds that making such a plan may take.")
    explain_again: float = Field(60.0, ge=1, description="Seconds until the same statement's plan is looked at again.")
    off_peak: str = Field(
        "01:00-05:00",
        description="Hours of the day, by this process's clock, in which indexes are built and tables vacuumed.",
    )
    apply: Literal["never", "auto"] = Field(
        "never",
        description='"auto" builds what is advised off-peak, one at a time, measures it, and drops what did not help.',
    )
    apply_tables: list[str] = Field(
        [], description='Tables that may get indexes so: patterns of "schema.table"; "*" are all of them.'
    )
    apply_budget: int = Field(1 << 30, ge=1, description="Bytes that indexes built so may take together.")
    apply_window: float = Field(24, gt=0, description="Hours for which a new index is measured before the verdict.")
    apply_free: int = Field(
        0, ge=0, description="Bytes free on the server's disk, where that cannot be seen from here; 0: not known."
    )
    upkeep: bool = Field(False, description="VACUUM (ANALYZE) off-peak what autovacuum does not or will only do later.")
    upkeep_pause: float = Field(10, ge=0, description="Seconds between two tables.")

    @field_validator("off_peak")
    @classmethod
    def _hours(cls, text: str) -> str:
        hours(text)
        return text

    @model_validator(mode="after")
    def _allowed(self) -> IndexSettings:
        if self.apply == "auto" and not self.apply_tables:
            raise ValueError('apply = "auto" needs apply_tables: say which tables may get indexes, or ["*"]')
        return self
