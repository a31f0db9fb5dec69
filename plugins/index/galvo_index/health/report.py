"""What an examination gives: what is wrong, and what could not be looked at."""

from __future__ import annotations

import msgspec

from galvo_index.finding import Finding


class Unknown(msgspec.Struct, frozen=True):
    """Silence would read as "all is well"."""

    rule: str
    why: str
    """What could not be looked at, and what to do about it; one sentence."""


class Report(msgspec.Struct, frozen=True):
    database: str
    version: int
    """server_version_num."""
    findings: list[Finding]
    """Worst first."""
    unknown: list[Unknown]
    rules: list[str]
    """Those that were followed."""

    @property
    def critical(self) -> bool:
        return any(finding.severity == "critical" for finding in self.findings)
