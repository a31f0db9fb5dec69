"""What hangs on projects: parts and jobs."""

from __future__ import annotations

from fastapi import APIRouter

from galvo_engraving.accounts.tokens import SignedIn, Staff
from galvo_engraving.params import Id
from galvo_engraving.problems import answers
from galvo_engraving.projects import jobs, parts
from galvo_engraving.projects.estimating import estimated
from galvo_engraving.projects.pieces import Estimate, JobChange, NewJob, NewPart, OneJob, Part, PartChange
from galvo_engraving.shop import Db

router = APIRouter(tags=["projects"])


@router.post("/projects/{project}/parts", status_code=201, responses=answers(401, 404, 409, 422))
async def add(who: SignedIn, db: Db, project: Id, asked: NewPart) -> Part:
    """A new part of a project."""
    return Part(**await parts.add(db, who, project, asked))


@router.patch("/parts/{part}", responses=answers(401, 404, 422))
async def change(who: SignedIn, db: Db, part: Id, asked: PartChange) -> Part:
    """Change a part of my project."""
    return Part(**await parts.change(db, who, part, asked))


@router.delete("/parts/{part}", status_code=204, responses=answers(401, 404, 422))
async def remove(who: SignedIn, db: Db, part: Id) -> None:
    """Take a part out of my project."""
    await parts.remove(db, who, part)


@router.post("/projects/{project}/jobs", status_code=201, responses=answers(401, 404, 409, 422))
async def queue(who: SignedIn, db: Db, project: Id, asked: NewJob) -> OneJob:
    """Order a project: it waits for a machine."""
    return OneJob(**await jobs.queue(db, who, project, asked))


@router.get("/jobs/{job}", responses=answers(401, 404, 422))
async def show(who: SignedIn, db: Db, job: Id) -> OneJob:
    """How far a job of my project is."""
    return OneJob(**await jobs.find(db, who, job))


@router.patch("/jobs/{job}", responses=answers(401, 403, 404, 409, 422))
async def tell(who: Staff, db: Db, job: Id, asked: JobChange) -> OneJob:
    """The workshop says what becomes of a job."""
    return OneJob(**await jobs.tell(db, job, asked))


@router.get("/projects/{project}/estimate", responses=answers(401, 404, 409, 422, 503))
async def estimate(who: SignedIn, db: Db, project: Id) -> Estimate:
    """How long the laser will be busy with my project."""
    return Estimate(**await estimated(db, who, project))
