"""Pictures and rasters as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from galvo_engraving.accounts.models import Strict
from galvo_engraving.jobs.wanted import Dither, Wanted
from galvo_engraving.params import LARGEST

State = Literal["waiting", "running", "done", "failed", "cancelled"]
Hundredths = AfterValidator(lambda value: round(value, 2))
"""More is not kept."""
Length = Annotated[float, Field(ge=0.1, le=5000, allow_inf_nan=False, description="mm"), Hundredths]


class Picture(BaseModel):
    id: int
    name: str
    media_type: str
    width: int
    """Pixels, as a viewer shows it."""
    height: int
    size: int
    """Bytes of the file."""
    created_at: datetime


class RasterRequest(Strict):
    width_mm: Length
    height_mm: Length | None = Field(None, description="Without: as high as it gets.")
    machine_id: int | None = Field(None, ge=1, le=LARGEST, description="Without: the shop's first one.")
    dots_per_mm: Annotated[float, Field(ge=0.1, le=100, allow_inf_nan=False), Hundredths] | None = Field(
        None, description="Without: the machine's."
    )
    gamma: Annotated[float, Field(ge=0.1, le=10, allow_inf_nan=False), Hundredths] = Field(
        1.0, description="Above 1: lighter shades, fewer dots."
    )
    dither: Dither = "floyd-steinberg"

    def wanted(self, dots_per_mm: float) -> Wanted:
        """`dots_per_mm`: of the machine."""
        dense = round(dots_per_mm, 2) if self.dots_per_mm is None else self.dots_per_mm
        return Wanted(self.width_mm, self.height_mm, dense, self.gamma, self.dither)


class Raster(BaseModel):
    id: str
    image_id: int
    machine_id: int
    width_mm: float
    height_mm: float | None
    dots_per_mm: float
    gamma: float
    dither: Dither
    created_at: datetime
    state: State
    done: int
    """Lines, of `total`."""
    total: int
    width: int
    """Dots."""
    height: int
    burned: int | None
    """Of them; None: not known yet."""
    problem: str | None
    """Why it has failed."""
    cached: bool
    """The dots were there when it was asked for."""

    @classmethod
    def of(cls, row: Any, **told: Any) -> Raster:
        """`row`: of engraving.raster, with its image's width and height; `told`: where it is."""
        wanted = Wanted.of(row)
        width, height = wanted.size(row["image_width"], row["image_height"])
        first = {"done": 0, "total": height, "burned": None, "problem": None, "cached": False}
        return cls(
            id=row["id"], image_id=row["image_id"], machine_id=row["machine_id"], width_mm=wanted.width_mm,
            height_mm=wanted.height_mm, dots_per_mm=wanted.dots_per_mm, gamma=wanted.gamma, dither=wanted.dither,
            created_at=row["created_at"], width=width, height=height, **{**first, **told},
        )  # fmt: skip
