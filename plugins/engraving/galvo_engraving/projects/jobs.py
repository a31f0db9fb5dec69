"""Jobs: a project on its way through the workshop."""

from __future__ import annotations

from typing import Any

from galvo_engraving.accounts.tokens import Visitor
from galvo_engraving.database import Database, Queries
from galvo_engraving.problems import Conflict, Unfit, Unknown
from galvo_engraving.projects.owning import locked, owned
from galvo_engraving.projects.pieces import JobChange, NewJob

COLUMNS = "id, project_id, machine, status, seconds::numeric::float8 as seconds, queued_at, finished_at"
OPEN = "select count(*) from engraving.job where project_id = $1 and status in ('queued', 'running')"
SLUG = "select slug from engraving.machine where id = $1"
QUEUE = f"""
insert into engraving.job (project_id, machine, status, queued_at) values ($1, $2, 'queued', now())
returning {COLUMNS}"""  # noqa: S608  # ours
ORDERED = "update engraving.project set status = 'ordered', updated_at = now() where id = $1 and user_id = $2"
JOB = """
select j.id, j.project_id, p.user_id, j.machine, j.status, j.seconds::numeric::float8 as seconds,
       j.queued_at, j.finished_at
from engraving.job j join engraving.project p on p.id = j.project_id where j.id = $1"""
# The project is named so that it is known without asking whose answers are touched.
TELL = f"""
update engraving.job set status = $3, seconds = $4,
       finished_at = case when $3 = 'running' then null else now() end
where id = $1 and project_id = $2 and status = any($5) returning {COLUMNS}"""  # noqa: S608  # ours
BEFORE = {"running": ("queued",), "done": ("running",), "failed": ("queued", "running")}
"""From which a status follows."""
MOST = 20
"""Open ones of a project."""


async def queue(db: Database, who: Visitor, project: int, asked: NewJob) -> Any:
    """Its row; the project is ordered by it. Raises Conflict, Unknown."""
    async with db.transaction() as tx:
        row = await locked(tx, who, project)
        if await tx.fetchval(OPEN, project) >= MOST:
            raise Conflict(f"{MOST} jobs of this project are waiting already: wait until one of them is done")
        machine = asked.machine or await tx.fetchval(SLUG, row["machine_id"])
        made = await tx.fetchrow(QUEUE, project, machine)
        await tx.execute(ORDERED, project, who.id)
    return made


async def find(db: Queries, who: Visitor, job: int) -> Any:
    """Its row: for whose project it is, and for the staff who work on it. Raises Unknown."""
    row = await db.fetchrow(JOB, job)
    return row if row is not None and who.staff else owned(row, who, "job")


async def tell(db: Queries, job: int, asked: JobChange) -> Any:
    """Its row. Raises Conflict, Unfit, Unknown."""
    if (asked.seconds is None) == (asked.status == "done"):
        raise Unfit("seconds: a job that is done has taken some, and no other says so")
    row = await db.fetchrow(JOB, job)
    if row is None:
        raise Unknown("there is no job of this number")
    told = await db.fetchrow(TELL, job, row["project_id"], asked.status, asked.seconds, BEFORE[asked.status])
    if told is None:
        raise Conflict(f"status: a job becomes {asked.status} only if it is {' or '.join(BEFORE[asked.status])}")
    return told
