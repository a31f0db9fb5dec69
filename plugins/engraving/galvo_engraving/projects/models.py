"""Projects as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from galvo_engraving.accounts.models import Line, Strict
from galvo_engraving.fields import Measured
from galvo_engraving.params import LARGEST
from galvo_engraving.projects.pieces import Job, Part

Status = Literal["draft", "ready", "ordered", "done"]
Key = Annotated[int, Field(strict=True, ge=1, le=LARGEST)]
Name = Annotated[str, Field(max_length=100)]
Text = Annotated[str, Field(max_length=100)]
Parameters = Annotated[
    dict[Name, bool | int | float | Text],
    Field(max_length=200, description="By name; what is not named is as the template has it."),
]


class NewProject(Strict):
    name: Line
    template_id: Key
    material_id: Key
    thickness_mm: Measured
    machine_id: Key | None = Field(default=None, description="None: the shop's first one.")
    parameters: Parameters = Field(default={})


class ProjectChange(Strict):
    """What is not named stays. With another template, and no parameters, they are the template's."""

    revision: Key = Field(description="The one that was seen: if there is a newer one, nothing is changed.")
    name: Line | None = None
    status: Status | None = None
    template_id: Key | None = None
    material_id: Key | None = None
    machine_id: Key | None = None
    thickness_mm: Measured | None = None
    parameters: Parameters | None = Field(default=None, description="All of them: they replace those before.")


class ProjectEntry(BaseModel):
    """In a list."""

    id: int
    name: str
    status: Status
    revision: int
    updated_at: datetime
    template: str
    material: str


class Owner(BaseModel):
    name: str
    studio: str


class ProjectTemplate(BaseModel):
    id: int
    name: str
    minutes: int


class ProjectParameter(BaseModel):
    position: int
    section: str
    name: str
    kind: str
    unit: str
    minimum: float | None
    maximum: float | None
    choices: list[str]
    description: str
    default_value: str
    value: bool | int | float | str = Field(description="That of this project.")


class ProjectMaterial(BaseModel):
    id: int
    name: str
    family: str


class ProjectMachine(BaseModel):
    id: int
    name: str
    bed_width_mm: float
    bed_height_mm: float


class Cut(BaseModel):
    """How the material is cut: by the setting of the nearest thickness."""

    id: int
    thickness_mm: float | None
    speed_mm_s: float
    power_pct: float
    passes: int
    kerf_mm: float | None
    air_assist: bool


class Project(BaseModel):
    """A project's page."""

    id: int
    name: str
    status: Status
    revision: int
    thickness_mm: float
    created_at: datetime
    updated_at: datetime
    user: Owner
    template: ProjectTemplate
    parameters: list[ProjectParameter]
    material: ProjectMaterial
    machine: ProjectMachine
    cut: Cut | None
    cutting_seconds: float | None = Field(description="Of all parts that are cut; None: there is no setting.")
    parts: list[Part]
    jobs: list[Job] = Field(description="The last ones, the newest first.")


class Revision(BaseModel):
    """What a project was; null: it has been deleted since, so this cannot be restored."""

    revision: int
    template_id: int | None
    material_id: int | None
    machine_id: int | None
    thickness_mm: float
    name: str
    parameters: dict[str, bool | int | float | str]
    saved_at: datetime
