"""Fields that several resources share."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from galvo_engraving.problems import Unfit

Operation = Literal["cut", "score", "engrave"]
SLUG = 80
"""Characters at most."""
Slug = Annotated[
    str, StringConstraints(max_length=SLUG, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"), Field(examples=["oak-and-light"])
]
"""A name for addresses and files."""
Text = Annotated[
    str,
    StringConstraints(max_length=2000, strip_whitespace=True, pattern=r"^[^\x00]*$"),
    Field(examples=["A few words."]),
]
"""Text of any number of lines."""
Thickness = Annotated[
    Decimal,
    Field(gt=0, le=Decimal("999.99"), decimal_places=2, allow_inf_nan=False),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 999.99}),
]
"""Of a sheet: mm, to a hundredth."""


def shortest(value: float) -> float:
    """What was written into a `real` column: 0.14 and not 0.14000000059604645."""
    return float(f"{value:.7g}")


Real = Annotated[float, BeforeValidator(lambda value: value if value is None else shortest(value))]
"""From a column of that type."""


Millionths = AfterValidator(lambda value: round(value, 6))
"""For a number that may be next to 0, where a `real` column overflows: 1e-60."""


def left() -> Any:
    """For a field that may be left out, but may not be null."""
    return Field(default_factory=lambda: None)


def slug_of(name: str) -> str:
    """Raises Unfit: there is nothing in the name to make it of."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain)[:SLUG].strip("-")
    if not made:
        raise Unfit("slug: give one of letters, digits and hyphens; the name has none to make it of")
    return made
