"""Materials in the database."""

from __future__ import annotations

import asyncpg

from galvo_engraving import by_name
from galvo_engraving.changing import changes, update
from galvo_engraving.database import Queries
from galvo_engraving.fields import slug_of
from galvo_engraving.materials.models import (
    Entry,
    Families,
    Family,
    MaterialChange,
    Materials,
    NewMaterial,
    Profile,
)
from galvo_engraving.materials.settings import COLUMNS, Setting
from galvo_engraving.params import pattern
from galvo_engraving.problems import Conflict, Unknown

LIST = """
select m.id, m.slug, m.name, m.family, m.supplier, m.density, count(distinct s.thickness_mm) as sheets
from engraving.material m left join engraving.laser_setting s on s.material_id = m.id
where ($1 = '' or m.family = $1) and m.name ilike $2
    and ($3::text is null or (m.name, m.id) > ($3, $4::integer))
group by m.id order by m.name, m.id limit $5"""
FAMILIES = "select family as name, count(*) as count from engraving.material group by family order by family"
ONE = "select id, slug, name, family, supplier, density, note from engraving.material where id = $1"
SETTINGS = f"""
select {COLUMNS} from engraving.laser_setting where material_id = $1
order by machine_id, thickness_mm nulls first, operation"""  # noqa: S608  # names of ours
ADD = """
insert into engraving.material (slug, name, family, supplier, density, note)
values ($1, $2, $3, $4, $5, $6) returning id"""
REMOVE = "delete from engraving.material where id = $1 returning id"
TABLES = ("engraving.material", "engraving.laser_setting")
GROUPED = TABLES[:1]
FAMILIES_KEY = "families"


def key(material: int) -> str:
    """Of its page among the kept answers."""
    return f"material:{material}"


async def find(db: Queries, family: str, search: str, after: str, limit: int) -> Materials:
    name, last = by_name.begin(after)
    return by_name.page(await db.fetch(LIST, family, pattern(search), name, last, limit + 1), limit, Entry)


async def families(db: Queries) -> Families:
    return Families(entries=[Family(**row) for row in await db.fetch(FAMILIES)])


async def read(db: Queries, material: int) -> Profile:
    """Raises Unknown."""
    row = await db.fetchrow(ONE, material)
    if row is None:
        raise unknown(material)
    return Profile(**row, settings=[Setting(**one) for one in await db.fetch(SETTINGS, material)])


async def add(db: Queries, asked: NewMaterial) -> int:
    """Its id. Raises Conflict, Unfit."""
    slug = asked.slug or slug_of(asked.name)
    try:
        found: int = await db.fetchval(
            *(ADD, slug, asked.name, asked.family, asked.supplier, asked.density, asked.note)
        )
    except asyncpg.UniqueViolationError:
        raise taken(slug) from None
    return found


async def change(db: Queries, material: int, asked: MaterialChange) -> None:
    """Raises Unknown, Conflict, Unfit."""
    try:
        row = await update(db, "material", material, changes(asked))
    except asyncpg.UniqueViolationError:
        raise taken(asked.slug) from None
    if row is None:
        raise unknown(material)


async def remove(db: Queries, material: int) -> None:
    """With its settings. Raises Unknown, Conflict."""
    try:
        found = await db.fetchval(REMOVE, material)
    except asyncpg.ForeignKeyViolationError:
        raise Conflict(
            f"material {material} is used by projects: keep it, or ask their owners to take another one"
        ) from None
    if found is None:
        raise unknown(material)


def unknown(material: int) -> Unknown:
    return Unknown(f"there is no material {material}")


def taken(slug: str) -> Conflict:
    return Conflict(f"there is a material with the slug {slug} already: change that one, or give another slug")
