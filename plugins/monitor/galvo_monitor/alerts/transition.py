"""What there is to tell of an alert."""

from __future__ import annotations

from typing import Literal

import msgspec

from galvo_monitor.alerts.source import Labels
from galvo_monitor.view import Severity


class Transition(msgspec.Struct, frozen=True):
    """Times are seconds since the epoch."""

    event: Literal["firing", "repeated", "resolved"]
    """ "repeated": it still fires, and was told of long ago."""
    name: str
    severity: Severity
    labels: Labels
    """Of the rule and of the series, sorted by name; without name and severity."""
    sentence: str
    since: float
    """When the number went beyond its threshold."""
    at: float
    """When that was found."""
    value: float | None = None
    """None: there is no data."""
    peak: float | None = None
    """The worst value."""

    @property
    def key(self) -> tuple[str, Labels]:
        """The same for what is told later of the same alert."""
        return self.name, self.labels
