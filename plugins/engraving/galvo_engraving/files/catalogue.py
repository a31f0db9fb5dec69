"""Catalogues of box templates in JSON, as clients send them."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from galvo_engraving.accounts.models import Line, Strict
from galvo_engraving.catalogue import UNITS
from galvo_engraving.fields import Text
from galvo_engraving.files.names import slug
from galvo_engraving.templates.models import Kind, NewParameter, NewParameters, NewTemplate, Section

MOST = 10_000
FARTHEST = 1e9


def _as_text(value: Any) -> Any:
    """9, true and "rows" as a box's parameter keeps them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) and abs(value) <= FARTHEST:
        return f"{value:.9f}".rstrip("0").rstrip(".")  # never as 1e-05
    return value


Default = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")],
    BeforeValidator(_as_text),
]


class Parameter(NewParameter):
    """One question that a template asks. A unit that is left out is that of its type."""

    section: Section = "extra"
    kind: Kind = Field(alias="type")
    default_value: Default = Field(alias="default", json_schema_extra={"type": ["string", "number", "boolean"]})

    @property
    def its_unit(self) -> str:
        return self.unit or UNITS.get(self.kind, "")


class Template(NewTemplate, NewParameters):
    """A template with its parameters, in their order."""

    template_group: Line = Field(alias="group")
    summary: Text = ""
    parameters: list[Parameter] = Field(default=[], max_length=60)  # type: ignore[assignment]  # of a kind of it

    @property
    def its_slug(self) -> str:
        return self.slug or slug(self.name)


def read(contents: bytes) -> Catalogue:
    """Raises RequestValidationError, as FastAPI does of a body that it reads."""
    try:
        return Catalogue.model_validate_json(contents)
    except ValidationError as bad:
        errors = bad.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in errors]) from None


class Catalogue(Strict):
    templates: Annotated[list[Template], Field(min_length=1, max_length=MOST)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        seen: dict[str, int] = {}
        for number, template in enumerate(self.templates):
            first = seen.setdefault(template.its_slug, number)
            if first != number:
                raise ValueError(f"templates {first} and {number} are both {template.its_slug}: rename one")
        return self
