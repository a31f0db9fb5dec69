"""How a picture is to be engraved: what makes two rasters of the same contents differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Dither = Literal["floyd-steinberg", "ordered"]
VERSION = 2
"""Of what the dots look like; kept ones of another version are not found."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Lengths in mm, hundredths of them at most: PostgreSQL keeps them as real."""

    width_mm: float
    height_mm: float | None = None
    """None: as high as it gets."""
    dots_per_mm: float = 10.0
    gamma: float = 1.0
    """Above 1 the shades between black and white get lighter, and fewer dots are burned."""
    dither: Dither = "floyd-steinberg"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Wanted:
        """As a row of engraving.raster has it."""
        height, dither = row["height_mm"], row["dither"]
        width, dense, gamma = (round(row[name], 2) for name in ("width_mm", "dots_per_mm", "gamma"))
        return cls(width, None if height is None else round(height, 2), dense, gamma, dither)

    def key(self, digest: str) -> str:
        """Under which the dots of the contents with this SHA-256 are kept."""
        size = f"{self.width_mm:g}x{self.height_mm or 0:g}:{self.dots_per_mm:g}"
        return f"raster:{VERSION}:{size}:{self.gamma:g}:{self.dither}:{digest}"

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Dots of an upright picture of `width` x `height` pixels; as galvo_memory.images.raster counts them."""
        across = max(1, round(self.width_mm * self.dots_per_mm))
        down = round(across * height / width) if self.height_mm is None else round(self.height_mm * self.dots_per_mm)
        return across, max(1, down)
