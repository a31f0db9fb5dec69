"""What hangs on a project, as clients see it: parts, jobs, the time they will take."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from galvo_engraving.accounts.models import Line, Strict
from galvo_engraving.fields import Millionths, Operation

JobStatus = Literal["queued", "running", "done", "failed"]
Length = Annotated[float, Field(ge=0.001, le=100_000, allow_inf_nan=False)]
"""mm"""
Path = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False), Millionths]
"""mm"""
Quantity = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class NewPart(Strict):
    name: Line
    operation: Operation
    quantity: Quantity = 1
    width_mm: Length
    height_mm: Length
    path_mm: Path = Field(description="What the beam travels for one piece.")


class PartChange(Strict):
    """What is not named stays."""

    name: Line | None = None
    operation: Operation | None = None
    quantity: Quantity | None = None
    width_mm: Length | None = None
    height_mm: Length | None = None
    path_mm: Path | None = None


class Part(BaseModel):
    id: int
    name: str
    operation: Operation
    quantity: int
    width_mm: float
    height_mm: float
    path_mm: float


class NewJob(Strict):
    machine: Line | None = Field(default=None, description="Which of the workshop's; None: any of the project's kind.")


class JobChange(Strict):
    """What the workshop says of a job."""

    status: Literal["running", "done", "failed"]
    seconds: float | None = Field(
        default=None, ge=0.001, le=10_000_000, allow_inf_nan=False, description="On the machine; when it is done."
    )


class Job(BaseModel):
    id: int
    machine: str
    status: JobStatus
    seconds: float | None
    queued_at: datetime
    finished_at: datetime | None


class OneJob(Job):
    project_id: int


class Estimate(BaseModel):
    """How long the laser will be busy."""

    project: int
    from_: Literal["parts", "drawing"] = Field(alias="from", description="Without parts it is made from the drawing.")
    parts: int
    seconds: float
    by_operation: dict[Operation, float]
