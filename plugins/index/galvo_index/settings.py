"""The keys under `[index]`."""

from __future__ import annotations

from pydantic import Field

from galvo import PluginSettings


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
