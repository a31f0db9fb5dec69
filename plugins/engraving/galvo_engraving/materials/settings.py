"""How a laser does one operation on one material: as clients see it and write it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from galvo_engraving.accounts.models import Strict
from galvo_engraving.fields import Millionths, Operation, Real, Thickness, left

COLUMNS = """id, material_id, machine_id, thickness_mm, operation, speed_mm_s, power_pct, passes, interval_mm, kerf_mm,
    air_assist, updated_at"""
"""Of a Setting."""
Machine = Annotated[int, Field(ge=1, le=2**31 - 1)]
Speed = Annotated[float, Field(ge=0.01, le=20_000, allow_inf_nan=False)]
"""mm/s"""
Power = Annotated[float, Field(ge=0.01, le=100, allow_inf_nan=False)]
"""Per cent of what the machine can."""
Passes = Annotated[int, Field(ge=1, le=1000)]
Interval = Annotated[float, Field(ge=0.001, le=100, allow_inf_nan=False)]
"""Between two lines: mm."""
Kerf = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False), Millionths]
"""Width of the cut: mm."""


class Setting(BaseModel):
    id: int
    material_id: int
    machine_id: int
    thickness_mm: float | None
    """None: for sheets of any thickness."""
    operation: Operation
    speed_mm_s: Real
    power_pct: Real
    passes: int
    interval_mm: Real | None
    kerf_mm: Real | None
    air_assist: bool
    updated_at: datetime


class Settings(BaseModel):
    entries: list[Setting]


class NewSetting(Strict):
    machine_id: Machine
    thickness_mm: Thickness | None
    operation: Operation
    speed_mm_s: Speed
    power_pct: Power
    passes: Passes = 1
    interval_mm: Interval | None = None
    kerf_mm: Kerf | None = None
    air_assist: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if problem := mismatch(self.operation, self.interval_mm, self.kerf_mm):
            raise ValueError(problem)
        return self


class SettingChange(Strict):
    thickness_mm: Thickness | None = None
    speed_mm_s: Speed = left()
    power_pct: Power = left()
    passes: Passes = left()
    interval_mm: Interval | None = None
    kerf_mm: Kerf | None = None
    air_assist: bool = left()


def mismatch(operation: str, interval: Any, kerf: Any) -> str | None:
    """What is wrong with these together."""
    if operation == "engrave" and interval is None:
        return "interval_mm: engraving needs the distance of two lines"
    if operation != "engrave" and interval is not None:
        return f"interval_mm: only engraving has one, and this is to {operation}"
    if operation != "cut" and kerf is not None:
        return f"kerf_mm: only a cut has one, and this is to {operation}"
    return None
