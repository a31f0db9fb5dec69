"""The keys under `[memory]`."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from galvo import PluginSettings, sizes

Threshold = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Thresholds = tuple[Threshold, Threshold, Threshold]


class MemorySettings(PluginSettings):
    interval: float = Field(5.0, ge=0.01, description="Seconds between two looks at memory.")
    limit: str | int = Field(
        "",
        description='Bytes that this process may use, as a number or "512MiB"; empty: what its cgroups, its own limits '
        "(ulimit) and the machine allow. The smallest of all counts.",
    )
    levels: Thresholds = Field(
        (0.75, 0.85, 0.95), description="Shares of the limit from which use is elevated, high, critical."
    )
    waiting: Thresholds = Field(
        (5.0, 10.0, 25.0),
        description="The same by waiting: percent of the last 10 s in which somebody waited for memory (PSI).",
    )
    gap: float = Field(
        0.05, ge=0, lt=1, description="Share of the limit by which use has to fall below a level's threshold to end it."
    )
    dwell: float = Field(30.0, ge=0, description="Seconds for which it has to stay there.")
    again: float = Field(
        30.0, gt=0, description="Seconds until everybody is asked again to free memory while it is high or critical."
    )
    budget: str | int = Field(
        "", description='Bytes that memory budgets may hold together, as "1GiB"; empty: half of the limit.'
    )
    trace: float = Field(
        20.0,
        ge=0,
        le=60,
        description="Seconds for which allocations are traced, once, when there seems to be a leak: names its lines, "
        "and slows Python down 5 to 9 times meanwhile; 0: never.",
    )
    tune_gc: bool = Field(
        True,
        description="Keep the garbage collector out of the way: half a minute after the start what lives is frozen, "
        "and it runs for 50,000 new objects; taken back when pauses get no shorter, or memory grows by garbage.",
    )
    answer: bool = Field(
        True, description="Answer this user's and root's `galvo memory`, on a Unix socket that only they can use."
    )

    @property
    def limit_bytes(self) -> int | None:
        """None where none is set."""
        return _bytes(self.limit)

    @property
    def budget_bytes(self) -> int | None:
        """None where none is set."""
        return _bytes(self.budget)

    @field_validator("limit", "budget", mode="before")
    @classmethod
    def _sizes(cls, value: object) -> object:
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise ValueError("is not a size: write bytes, or a number with KiB, MiB or GiB in quotes")  # noqa: TRY004
        _bytes(value)
        return value

    @field_validator("levels", "waiting")
    @classmethod
    def _rising(cls, values: Thresholds) -> Thresholds:
        if any(low >= high for low, high in pairwise(values)):
            raise ValueError(f"{list(values)} have to rise")
        return values

    @model_validator(mode="after")
    def _fits(self) -> MemorySettings:
        if self.levels[-1] > 1:
            raise ValueError(f"levels: {self.levels[-1]:g} is a share of the limit, which is never more than 1")
        if self.waiting[-1] > 100:
            raise ValueError(f"waiting: {self.waiting[-1]:g} is a percentage, which is never more than 100")
        if self.gap >= self.levels[0]:
            raise ValueError(f"gap = {self.gap:g} is not below the first of levels, {self.levels[0]:g}: it never ends")
        limit, budget = self.limit_bytes, self.budget_bytes
        if limit is not None and budget is not None and budget > limit:
            raise ValueError(
                f"budget = {sizes.show(budget)} is more than limit = {sizes.show(limit)}: lower it, or raise the limit"
            )
        return self


def _bytes(value: str | int) -> int | None:
    return None if value == "" else sizes.parse(value)
