"""A silence: alerts that nobody wants to be told of for a while."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from galvo_monitor.alerts.errors import RuleProblem
from galvo_monitor.alerts.source import Labels


class Silence(BaseModel):
    """One of `[[monitor.silences]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alert: str = Field(default="*", min_length=1, description='Names of alerts: "Disk*".')
    labels: dict[str, str] = Field(default_factory=dict, description='That they must have: { queue = "bulk*" }.')
    start: AwareDatetime | None = Field(
        None, description="With a time zone: 2026-11-28T18:00:00Z; default: ever since."
    )
    end: AwareDatetime = Field(description="With a time zone: 2026-11-28T20:00:00Z.")
    author: str = Field(default="", description="Who wants it.")
    comment: str = Field(default="", description="And why.")

    @model_validator(mode="after")
    def _ordered(self) -> Silence:
        if self.start is not None and self.start >= self.end:
            raise RuleProblem(f"silence of {self.alert!r}: end = {self.end} is not later than start = {self.start}")
        return self

    def covers(self, name: str, labels: Labels, now: float) -> bool:
        """`now`: seconds since the epoch."""
        if not _seconds(self.start) <= now < _seconds(self.end) or not fnmatchcase(name, self.alert):
            return False
        given = dict(labels)
        return all(key in given and fnmatchcase(given[key], pattern) for key, pattern in self.labels.items())


def _seconds(moment: datetime | None) -> float:
    return float("-inf") if moment is None else moment.timestamp()
