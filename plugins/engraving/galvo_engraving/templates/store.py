"""Templates in the database."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from galvo_engraving import by_name
from galvo_engraving.boxes.families import drawable
from galvo_engraving.changing import changes, update
from galvo_engraving.database import Database, Queries
from galvo_engraving.fields import slug_of
from galvo_engraving.params import pattern
from galvo_engraving.problems import Conflict, Unknown
from galvo_engraving.templates.models import (
    Entry,
    Group,
    Groups,
    NewParameter,
    NewTemplate,
    Parameter,
    Template,
    TemplateChange,
    Templates,
)

LIST = """
select id, slug, name, template_group, difficulty, minutes, summary from engraving.box_template
where ($1 = '' or template_group = $1) and name ilike $2 and ($3::text is null or (name, id) > ($3, $4::integer))
order by name, id limit $5"""
GROUPS = """
select template_group as name, count(*) as count from engraving.box_template
group by template_group order by template_group"""
ONE = """
select id, slug, name, template_group, difficulty, minutes, summary from engraving.box_template where id = $1"""
PARAMETERS = """
select position, section, name, kind, unit, default_value, minimum, maximum, choices, description
from engraving.box_parameter where template_id = $1 order by position"""
ADD = """
insert into engraving.box_template (slug, name, template_group, difficulty, minutes, summary)
values ($1, $2, $3, $4, $5, $6) returning id"""
LOCK = "select id from engraving.box_template where id = $1 for update"
CLEAR = "delete from engraving.box_parameter where template_id = $1"
ADD_PARAMETER = """
insert into engraving.box_parameter (template_id, position, section, name, kind, unit, default_value,
    minimum, maximum, choices, description) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"""
REMOVE = "delete from engraving.box_template where id = $1 returning id"
TABLES = ("engraving.box_template", "engraving.box_parameter")
LISTED = TABLES[:1]
GROUPS_KEY = "template groups"


def key(template: int) -> str:
    """Of its page among the kept answers."""
    return f"template:{template}"


async def find(db: Queries, group: str, search: str, after: str, limit: int) -> Templates:
    name, last = by_name.begin(after)
    return by_name.page(await db.fetch(LIST, group, pattern(search), name, last, limit + 1), limit, Entry)


async def groups(db: Queries) -> Groups:
    return Groups(entries=[Group(**row) for row in await db.fetch(GROUPS)])


async def read(db: Queries, template: int) -> Template:
    """Raises Unknown."""
    row = await db.fetchrow(ONE, template)
    if row is None:
        raise unknown(template)
    parameters = [Parameter(**one) for one in await db.fetch(PARAMETERS, template)]
    can = drawable(row["slug"], [one.name for one in parameters])
    return Template(**row, drawable=can, parameters=parameters)


async def add(db: Queries, asked: NewTemplate) -> int:
    """Its id. Raises Conflict, Unfit."""
    slug = asked.slug or slug_of(asked.name)
    try:
        found: int = await db.fetchval(
            ADD, slug, asked.name, asked.template_group, asked.difficulty, asked.minutes, asked.summary
        )
    except asyncpg.UniqueViolationError:
        raise taken(slug) from None
    return found


async def change(db: Queries, template: int, asked: TemplateChange) -> None:
    """Raises Unknown, Conflict, Unfit."""
    try:
        row = await update(db, "box_template", template, changes(asked))
    except asyncpg.UniqueViolationError:
        raise taken(asked.slug) from None
    if row is None:
        raise unknown(template)


async def describe(db: Database, template: int, parameters: Sequence[NewParameter]) -> None:
    """These are its parameters from now on. Raises Unknown."""
    async with db.transaction() as tx:
        if await tx.fetchval(LOCK, template) is None:
            raise unknown(template)
        await tx.execute(CLEAR, template)
        await add_parameters(tx, template, parameters)


async def add_parameters(tx: Queries, template: int, parameters: Sequence[NewParameter]) -> None:
    """To a template that has none."""
    rows = [
        (
            *(template, position, one.section, one.name, one.kind, one.unit, one.default_value),
            *(one.minimum, one.maximum, one.choices, one.description),
        )
        for position, one in enumerate(parameters, 1)
    ]
    await tx.executemany(ADD_PARAMETER, rows)


async def remove(db: Queries, template: int) -> None:
    """Raises Unknown, Conflict."""
    try:
        found = await db.fetchval(REMOVE, template)
    except asyncpg.ForeignKeyViolationError:
        raise Conflict(
            f"template {template} is used by projects: keep it, or ask their owners to take another one"
        ) from None
    if found is None:
        raise unknown(template)


def unknown(template: int) -> Unknown:
    return Unknown(f"there is no template {template}")


def taken(slug: str) -> Conflict:
    return Conflict(f"there is a template with the slug {slug} already: change that one, or give another slug")
