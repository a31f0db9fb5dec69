"""Templates of boxes as clients see them and write them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from galvo_engraving.accounts.models import Line, Strict
from galvo_engraving.boxes.values import NUMBER, value_of
from galvo_engraving.fields import Millionths, Real, Slug, Text, left
from galvo_engraving.params import Page
from galvo_engraving.problems import Unfit

Kind = Literal["length", "angle", "count", "ratio", "flag", "choice"]
Section = Literal["size", "joint", "form", "extra"]
NUMBERS = frozenset({"length", "angle", "count", "ratio"})
RESERVED = frozenset({"material_id", "thickness_mm", "machine_id"})
"""What a preview is asked for beside the parameters."""
MOST = 60
"""Parameters of a template."""
Difficulty = Annotated[int, Field(ge=1, le=5)]
Minutes = Annotated[int, Field(ge=1, le=10_000)]
Bound = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False), Millionths]


class Entry(BaseModel):
    """In a list."""

    id: int
    slug: str
    name: str
    template_group: str
    difficulty: int
    minutes: int
    summary: str


class Group(BaseModel):
    name: str
    count: int


class Groups(BaseModel):
    entries: list[Group]


class Parameter(BaseModel):
    position: int
    section: str
    name: str
    kind: str
    unit: str
    default_value: str
    minimum: Real | None
    maximum: Real | None
    choices: list[str]
    description: str


class Template(Entry):
    """With everything that belongs to it."""

    drawable: bool
    """Whether a preview can be made of it."""
    parameters: list[Parameter]


Templates = Page[Entry]


class NewTemplate(Strict):
    slug: Slug | None = None
    """None: made of the name."""
    name: Line
    template_group: Line
    difficulty: Difficulty
    minutes: Minutes
    summary: Text


class TemplateChange(Strict):
    slug: Slug = left()
    name: Line = left()
    template_group: Line = left()
    difficulty: Difficulty = left()
    minutes: Minutes = left()
    summary: Text = left()


class NewParameter(Strict):
    """Numbers need a range, which their default is in; a choice needs its choices."""

    section: Section
    name: Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
    kind: Kind
    unit: Annotated[str, StringConstraints(max_length=10, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    default_value: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    minimum: Bound | None = None
    maximum: Bound | None = None
    choices: list[Line] = Field(default=[], max_length=50)
    description: Text = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problem = self._reserved() or (self._number() if self.kind in NUMBERS else self._word())
        if problem:
            raise ValueError(f"{self.name}: {problem}")
        return self

    def _reserved(self) -> str | None:
        return "the preview uses this name itself: take another one" if self.name in RESERVED else None

    def _number(self) -> str | None:
        if self.minimum is None or self.maximum is None or self.minimum > self.maximum:
            return f"a {self.kind} needs a minimum and a maximum that is not below it"
        if self.choices:
            return f"a {self.kind} has no choices"
        count = self.kind == "count"
        # By the rules of those who draw it: Python itself reads 1_0 and 1e2, too.
        if not NUMBER.fullmatch(self.default_value) or (count and not float(self.default_value).is_integer()):
            return f"its default_value has to be a {'whole number, like 12' if count else 'number, like 12.5'}"
        try:
            value_of(self.model_dump(), self.default_value)
        except Unfit:
            return "its default_value has to be in its own range"
        return None

    def _word(self) -> str | None:
        if self.minimum is not None or self.maximum is not None:
            return f"a {self.kind} has no minimum and no maximum"
        if self.kind == "flag" and self.choices:
            return "a flag has no choices: it is true or false"
        if len(set(self.choices)) < len(self.choices):
            return "two of its choices are the same"
        possible = ["true", "false"] if self.kind == "flag" else self.choices
        if self.default_value not in possible:
            return f"its default_value has to be one of {', '.join(possible) or 'its choices, and there are none'}"
        return None


class NewParameters(Strict):
    """All of a template's, in their order."""

    parameters: list[NewParameter] = Field(max_length=MOST)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        names = [one.name for one in self.parameters]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two parameters are called {twice}")
        return self
