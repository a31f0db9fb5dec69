"""Machines in the database."""

from __future__ import annotations

import asyncpg

from galvo_engraving.changing import changes, update
from galvo_engraving.database import Queries
from galvo_engraving.fields import slug_of
from galvo_engraving.machines.models import Machine, MachineChange, Machines, NewMachine
from galvo_engraving.problems import Conflict, Unknown

COLUMNS = "id, slug, name, watts, bed_width_mm, bed_height_mm, dots_per_mm"
ALL = f"select {COLUMNS} from engraving.machine order by name, id"  # noqa: S608  # names of ours
ONE = f"select {COLUMNS} from engraving.machine where id = $1"  # noqa: S608  # names of ours
FIRST = "select id from engraving.machine order by id limit 1"
ADD = f"""
insert into engraving.machine (slug, name, watts, bed_width_mm, bed_height_mm, dots_per_mm)
values ($1, $2, $3, $4, $5, $6) returning {COLUMNS}"""  # noqa: S608  # names of ours
REMOVE = "delete from engraving.machine where id = $1 returning id"
TABLES = ("engraving.machine",)
ALL_KEY = "machines"


async def everything(db: Queries) -> Machines:
    return Machines(entries=[Machine(**row) for row in await db.fetch(ALL)])


async def read(db: Queries, machine: int) -> Machine:
    """Raises Unknown."""
    row = await db.fetchrow(ONE, machine)
    if row is None:
        raise unknown(machine)
    return Machine(**row)


async def first(db: Queries) -> int | None:
    """Whose settings hold when nobody says which machine. None: there is no machine yet."""
    found: int | None = await db.fetchval(FIRST)
    return found


async def add(db: Queries, asked: NewMachine) -> Machine:
    """Raises Conflict, Unfit."""
    slug = asked.slug or slug_of(asked.name)
    try:
        row = await db.fetchrow(
            *(ADD, slug, asked.name, asked.watts, asked.bed_width_mm, asked.bed_height_mm, asked.dots_per_mm)
        )
    except asyncpg.UniqueViolationError:
        raise taken(slug) from None
    return Machine(**row)


async def change(db: Queries, machine: int, asked: MachineChange) -> Machine:
    """Raises Unknown, Conflict, Unfit."""
    try:
        row = await update(db, "machine", machine, changes(asked), COLUMNS)
    except asyncpg.UniqueViolationError:
        raise taken(asked.slug) from None
    if row is None:
        raise unknown(machine)
    return Machine(**row)


async def remove(db: Queries, machine: int) -> None:
    """With its laser settings. Raises Unknown, Conflict."""
    try:
        found = await db.fetchval(REMOVE, machine)
    except asyncpg.ForeignKeyViolationError:
        raise Conflict(
            f"machine {machine} is used by projects: keep it, or ask their owners to take another one"
        ) from None
    if found is None:
        raise unknown(machine)


def unknown(machine: int) -> Unknown:
    return Unknown(f"there is no machine {machine}")


def taken(slug: str) -> Conflict:
    return Conflict(f"there is a machine with the slug {slug} already: change that one, or give another slug")
