"""Reads what most customers are about to look at, so that nobody waits for it."""

from __future__ import annotations

from functools import partial

from galvo_engraving.bodies import encoded
from galvo_engraving.database import Database
from galvo_engraving.machines import store as machines
from galvo_engraving.materials import store as materials
from galvo_engraving.problems import Unknown
from galvo_engraving.templates import store as templates

USED = """
(select 'template' as kind, template_id as id from engraving.project
 group by template_id order by count(*) desc, template_id limit $1)
union all
(select 'material', material_id from engraving.project
 group by material_id order by count(*) desc, material_id limit $1)"""


async def warm(db: Database, most: int) -> int:
    """Make the answers ready for machines, groups, families, and for the `most` used templates and materials.

    Gives how many. Without a cache it is of no use, and does nothing wrong.
    """
    await encoded(db, machines.ALL_KEY, partial(machines.everything, db), depends_on=machines.TABLES)
    await encoded(db, templates.GROUPS_KEY, partial(templates.groups, db), depends_on=templates.LISTED)
    await encoded(db, materials.FAMILIES_KEY, partial(materials.families, db), depends_on=materials.GROUPED)
    made = 3
    for row in await db.fetch(USED, most):
        try:
            await (_template if row["kind"] == "template" else _material)(db, row["id"])
        except Unknown:  # deleted meanwhile
            continue
        made += 1
    return made


async def _template(db: Database, number: int) -> None:
    await encoded(db, templates.key(number), partial(templates.read, db, number), depends_on=templates.TABLES)


async def _material(db: Database, number: int) -> None:
    await encoded(db, materials.key(number), partial(materials.read, db, number), depends_on=materials.TABLES)
