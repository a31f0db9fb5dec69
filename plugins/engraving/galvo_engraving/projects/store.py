"""A user's projects: found, made, changed, and what they were before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import asyncpg
import msgspec
from msgspec import Meta

from galvo_engraving.accounts.tokens import Visitor
from galvo_engraving.boxes.values import Value
from galvo_engraving.database import Database, Queries
from galvo_engraving.machines import store as machines
from galvo_engraving.params import LARGEST, cursor, pattern, start
from galvo_engraving.problems import Conflict, Unfit, Unknown
from galvo_engraving.projects.models import NewProject, ProjectChange
from galvo_engraving.projects.owning import check, locked
from galvo_engraving.projects.parameters import different

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

LIST = """
select p.id, p.name, p.status, p.revision, p.updated_at, t.name as template, m.name as material
from engraving.project p
join engraving.box_template t on t.id = p.template_id
join engraving.material m on m.id = p.material_id
where p.user_id = $1 and p.name ilike $2 and ($3::text = '' or p.status = $3){further}
order by p.updated_at desc, p.id desc limit {limit}"""
FIRST = LIST.format(further="", limit="$4")
FURTHER = LIST.format(further=" and (p.updated_at, p.id) < ($4, $5)", limit="$6")

TEMPLATE = "select id from engraving.box_template where id = $1"
MAKE = """
insert into engraving.project (user_id, template_id, material_id, machine_id, thickness_mm, name, status, parameters,
                               created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, 'draft', $7, now(), now()) returning id"""
SAVE = """
insert into engraving.project_revision
    (project_id, revision, template_id, material_id, machine_id, thickness_mm, name, parameters)
values ($1, $2, $3, $4, $5, $6, $7, $8)"""
# The owner is named so that it is known without asking whose lists are touched.
CHANGE = """
update engraving.project set template_id = $3, material_id = $4, machine_id = $5, thickness_mm = $6, name = $7,
       parameters = $8, status = $9, revision = revision + 1, updated_at = now()
where id = $1 and user_id = $2"""
DELETE = "delete from engraving.project where id = $1 and user_id = $2"
REVISIONS = """
select revision, template_id, material_id, machine_id, thickness_mm::float8 as thickness_mm, name, parameters, saved_at
from engraving.project_revision where project_id = $1 and revision < $2 order by revision desc limit $3"""
REVISION = """
select template_id, material_id, machine_id, thickness_mm, name, parameters
from engraving.project_revision where project_id = $1 and revision = $2"""


class Place(msgspec.Struct, array_like=True):
    """Where a page of the list ends."""

    changed: Annotated[int, Meta(ge=0, le=2**57)]
    """Microseconds since 1970."""
    id: Annotated[int, Meta(ge=1, le=LARGEST)]


class RevisionPlace(msgspec.Struct, array_like=True):
    revision: Annotated[int, Meta(ge=1, le=LARGEST)]


DESIGN = ("template_id", "material_id", "machine_id", "thickness_mm", "name", "parameters")
"""The columns of which revisions are kept."""
USES = ("template", "material", "machine")
"""What only a project itself keeps from being deleted."""


async def listed(
    db: Queries, who: Visitor, search: str, status: str, after: str, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of the user's projects, the last changed first. Raises Problem."""
    place = start(after, Place)
    chosen = (who.id, pattern(search), status)
    if place is None:
        rows = await db.fetch(FIRST, *chosen, limit + 1)
    else:
        rows = await db.fetch(FURTHER, *chosen, EPOCH + place.changed * MICROSECOND, place.id, limit + 1)
    shown = [dict(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return shown, None
    return shown, cursor(((shown[-1]["updated_at"] - EPOCH) // MICROSECOND, shown[-1]["id"]))


async def make(db: Database, who: Visitor, asked: NewProject) -> int:
    """Its id. Raises Conflict, Unfit."""
    chosen = await _different(db, asked.template_id, asked.parameters)
    machine = asked.machine_id or await machines.first(db)
    if machine is None:
        raise Unfit("machine_id: the shop has no machine yet: its staff must add one")
    values = (asked.template_id, asked.material_id, machine, _decimal(asked.thickness_mm), asked.name, _text(chosen))
    with Fitting():
        return int(await db.fetchval(MAKE, who.id, *values))


async def change(db: Database, who: Visitor, project: int, asked: ProjectChange) -> None:
    """All of it or, if others have changed the project meanwhile, nothing. Raises Conflict, Unfit, Unknown."""
    with Fitting():
        async with db.transaction() as tx:
            row = await locked(tx, who, project)
            if row["revision"] != asked.revision:
                raise Conflict(
                    f"revision: the project was changed meanwhile, to {row['revision']}: look at it, and try again"
                )
            wanted = asked.model_dump(exclude_none=True, exclude={"revision"})
            if "thickness_mm" in wanted:
                wanted["thickness_mm"] = _decimal(wanted["thickness_mm"])
            template = wanted.get("template_id", row["template_id"])
            if "parameters" in wanted or template != row["template_id"]:
                wanted["parameters"] = _text(await _different(tx, template, wanted.get("parameters", {})))
            await _put(tx, row, wanted)


async def restore(db: Database, who: Visitor, project: int, revision: int) -> None:
    """As it was at a revision; what it is now is kept as well. Raises Conflict, Unknown."""
    with Fitting():
        async with db.transaction() as tx:
            row = await locked(tx, who, project)
            before = await tx.fetchrow(REVISION, project, revision)
            if before is None:
                raise Unknown(f"the project has no earlier revision {revision}")
            if gone := [what for what in USES if before[f"{what}_id"] is None]:
                raise Conflict(
                    f"revision {revision} cannot be restored: of what it used, this is deleted: {', '.join(gone)}"
                )
            await _put(tx, row, dict(before))


async def remove(db: Queries, who: Visitor, project: int) -> None:
    """With its parts, jobs and revisions. Raises Unknown."""
    await check(db, who, project)
    await db.execute(DELETE, project, who.id)


async def revisions(
    db: Queries, who: Visitor, project: int, after: str, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """What the project was, the last one first. Raises Problem."""
    await check(db, who, project)
    place = start(after, RevisionPlace)
    rows = await db.fetch(REVISIONS, project, place.revision if place else LARGEST, limit + 1)
    shown = [{**row, "parameters": msgspec.json.decode(row["parameters"])} for row in rows[:limit]]
    return shown, cursor((shown[-1]["revision"],)) if len(rows) > limit else None


async def _put(tx: Queries, row: Any, wanted: dict[str, Any]) -> None:
    """Keep what `row` says, then write what is `wanted`; nothing if that is the same."""
    new = {**{name: row[name] for name in (*DESIGN, "status")}, **wanted}
    if all(_value(name, new[name]) == _value(name, row[name]) for name in new):
        return
    await tx.execute(SAVE, row["id"], row["revision"], *(row[name] for name in DESIGN))
    await tx.execute(CHANGE, row["id"], row["user_id"], *(new[name] for name in DESIGN), new["status"])


async def _different(db: Queries, template: int, given: dict[str, Value]) -> dict[str, Value]:
    """Raises Unfit."""
    if await db.fetchval(TEMPLATE, template) is None:
        raise Unfit(f"template_id: there is no template {template}")
    return await different(db, template, given)


class Fitting:
    """What the database refuses of a project, as what its user can do about it."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        match error:
            case asyncpg.UniqueViolationError(constraint_name="project_name_once"):
                raise Conflict("name: you have another project of this name: take another one") from None
            case asyncpg.ForeignKeyViolationError(constraint_name=str(name)):
                column = name.removeprefix("project_").removesuffix("_fkey")
                raise Unfit(f"{column}: there is none of this number") from None


def _value(column: str, found: Any) -> Any:
    """JSON has several texts of one value."""
    return msgspec.json.decode(found) if column == "parameters" else found


def _text(parameters: dict[str, Value]) -> str:
    return msgspec.json.encode(parameters).decode()


def _decimal(mm: float) -> Decimal:
    return Decimal(str(mm)).quantize(Decimal("0.01"))
