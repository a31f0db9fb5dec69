"""Catalogues of box templates in JSON, as clients send them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from galvo_engraving.accounts.models import Line, Strict
from galvo_engraving.catalogue import UNITS
from galvo_engraving.files.names import slug

MOST = 10_000
PARAMETERS = 200
FARTHEST = 100_000.0
"""mm, or whatever a number's unit is."""
RESERVED = frozenset({"material_id", "thickness_mm", "machine_id"})
"""What a preview is asked with beside a template's own parameters."""

Bound = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Choices = Annotated[list[Line], Field(max_length=100)]


def _own(name: str) -> str:
    if name in RESERVED:
        raise ValueError("this name has a meaning of its own for previews: take another one")
    return name


def _as_text(value: Any) -> Any:
    """9, true and "rows" as a box's parameter keeps them."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, int | float) and abs(value) <= FARTHEST else value


class Parameter(Strict):
    """One question that a template asks."""

    name: Annotated[Name, AfterValidator(_own)]
    section: Literal["size", "joint", "form", "extra"] = "extra"
    kind: Literal["length", "angle", "count", "ratio", "flag", "choice"]
    unit: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=20)] | None = None
    default: Annotated[Annotated[str, StringConstraints(max_length=200)], BeforeValidator(_as_text)] = Field(
        json_schema_extra={"type": ["string", "number", "boolean"]}
    )
    minimum: Bound | None = None
    maximum: Bound | None = None
    choices: Choices = Field(default_factory=list)
    description: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=1000)] = ""

    @property
    def its_unit(self) -> str:
        return UNITS.get(self.kind, "") if self.unit is None else self.unit

    @model_validator(mode="after")
    def _fits(self) -> Parameter:
        if self.kind == "choice":
            if self.default not in self.choices or len(set(self.choices)) < len(self.choices):
                raise ValueError(f"{self.name}: the default is one of `choices`, which are all different")
        elif self.choices:
            raise ValueError(f"{self.name}: only a `choice` has choices")
        if self.kind in ("flag", "choice"):
            if self.minimum is not None or self.maximum is not None:
                raise ValueError(f"{self.name}: a {self.kind} has no minimum and no maximum")
            if self.kind == "flag" and self.default not in ("true", "false"):
                raise ValueError(f"{self.name}: the default of a flag is true or false")
        else:
            self._number()
        return self

    def _number(self) -> None:
        low = -FARTHEST if self.minimum is None else self.minimum
        high = FARTHEST if self.maximum is None else self.maximum
        if low > high:
            raise ValueError(f"{self.name}: the minimum is more than the maximum")
        try:
            value = float(self.default) if self.default.isascii() and "_" not in self.default else None
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise ValueError(f"{self.name}: the default is no number from {low:g} to {high:g}")
        if self.kind == "count" and not value.is_integer():
            raise ValueError(f"{self.name}: the default of a count is a whole number")


class Template(Strict):
    name: Line
    slug: Slug | None = None
    """None: made of the name."""
    group: Line
    difficulty: int = Field(ge=1, le=5)
    minutes: int = Field(ge=1, le=32_767)
    summary: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=1000)] = ""
    parameters: Annotated[list[Parameter], Field(max_length=PARAMETERS)] = Field(default_factory=list)

    @property
    def its_slug(self) -> str:
        return self.slug or slug(self.name)

    @model_validator(mode="after")
    def _once(self) -> Template:
        names = [one.name for one in self.parameters]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{self.name}: parameter {twice} is there twice")
        return self


class Catalogue(Strict):
    templates: Annotated[list[Template], Field(min_length=1, max_length=MOST)]

    @model_validator(mode="after")
    def _once(self) -> Catalogue:
        seen: dict[str, int] = {}
        for number, template in enumerate(self.templates):
            first = seen.setdefault(template.its_slug, number)
            if first != number:
                raise ValueError(f"templates {first} and {number} are both {template.its_slug}: rename one")
        return self
