"""Materials as clients see them and write them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from galvo_engraving.accounts.models import Line, Strict
from galvo_engraving.fields import Real, Slug, Text, left
from galvo_engraving.materials.settings import Setting
from galvo_engraving.params import Page

Density = Annotated[float, Field(ge=0.001, le=30, allow_inf_nan=False)]
"""g/cm3"""


class Entry(BaseModel):
    """In a list."""

    id: int
    slug: str
    name: str
    family: str
    supplier: str
    density: Real
    sheets: int
    """Thicknesses of which there are settings."""


class Family(BaseModel):
    name: str
    count: int


class Families(BaseModel):
    entries: list[Family]


class Profile(BaseModel):
    """A material with all that the machines know of it."""

    id: int
    slug: str
    name: str
    family: str
    supplier: str
    density: Real
    note: str
    settings: list[Setting]


Materials = Page[Entry]


class NewMaterial(Strict):
    slug: Slug | None = None
    """None: made of the name."""
    name: Line
    family: Line
    supplier: Line
    density: Density
    note: Text = ""


class MaterialChange(Strict):
    slug: Slug = left()
    name: Line = left()
    family: Line = left()
    supplier: Line = left()
    density: Density = left()
    note: Text = left()
