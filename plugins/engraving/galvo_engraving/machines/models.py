"""Machines as clients see them and write them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from galvo_engraving.accounts.models import Line, Strict
from galvo_engraving.fields import Real, Slug, left

Watts = Annotated[float, Field(ge=0.1, le=100_000, allow_inf_nan=False)]
Bed = Annotated[float, Field(ge=1, le=20_000, allow_inf_nan=False)]
"""mm"""
Dots = Annotated[float, Field(ge=0.1, le=200, allow_inf_nan=False)]


class Machine(BaseModel):
    id: int
    slug: str
    name: str
    watts: Real
    bed_width_mm: Real
    bed_height_mm: Real
    dots_per_mm: Real
    """Of an engraved picture."""


class Machines(BaseModel):
    entries: list[Machine]


class NewMachine(Strict):
    slug: Slug | None = None
    """None: made of the name."""
    name: Line
    watts: Watts
    bed_width_mm: Bed
    bed_height_mm: Bed
    dots_per_mm: Dots


class MachineChange(Strict):
    slug: Slug = left()
    name: Line = left()
    watts: Watts = left()
    bed_width_mm: Bed = left()
    bed_height_mm: Bed = left()
    dots_per_mm: Dots = left()
