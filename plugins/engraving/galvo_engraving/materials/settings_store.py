"""Laser settings in the database."""

from __future__ import annotations

from decimal import Decimal

import asyncpg

from galvo_engraving.changing import changes, update
from galvo_engraving.database import Database, Queries
from galvo_engraving.materials.settings import COLUMNS, NewSetting, Setting, SettingChange, Settings, mismatch
from galvo_engraving.materials.store import unknown as unknown_material
from galvo_engraving.problems import Conflict, Unfit, Unknown

PAIR = f"""
select {COLUMNS} from engraving.laser_setting
where material_id = $1 and ($2::numeric is null or thickness_mm = $2) and ($3::text is null or operation = $3)
    and ($4::integer is null or machine_id = $4)
order by machine_id, thickness_mm nulls first, operation"""  # noqa: S608  # names of ours
ADD = f"""
insert into engraving.laser_setting (material_id, machine_id, thickness_mm, operation, speed_mm_s, power_pct, passes,
    interval_mm, kerf_mm, air_assist) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning {COLUMNS}"""  # noqa: S608  # names of ours
LOCK = f"select {COLUMNS} from engraving.laser_setting where id = $1 for update"  # noqa: S608  # names of ours
TOUCH = "update engraving.laser_setting set updated_at = now() where id = $1"
REMOVE = "delete from engraving.laser_setting where id = $1 returning id"
MATERIAL = "select id from engraving.material where id = $1"


async def find(
    db: Queries, material: int, thickness: Decimal | None, operation: str | None, machine: int | None
) -> Settings:
    """Those of exactly this thickness; None: all. Raises Unknown: no such material."""
    rows = await db.fetch(PAIR, material, thickness, operation, machine)
    if not rows and await db.fetchval(MATERIAL, material) is None:
        raise unknown_material(material)
    return Settings(entries=[Setting(**row) for row in rows])


async def add(db: Queries, material: int, asked: NewSetting) -> Setting:
    """Raises Unknown, Conflict, Unfit."""
    try:
        row = await db.fetchrow(
            *(ADD, material, asked.machine_id, asked.thickness_mm, asked.operation, asked.speed_mm_s),
            *(asked.power_pct, asked.passes, asked.interval_mm, asked.kerf_mm, asked.air_assist),
        )
    except asyncpg.UniqueViolationError:
        raise twice(asked.operation) from None
    except asyncpg.ForeignKeyViolationError as error:
        if "machine" in (error.constraint_name or ""):
            raise Unfit(f"machine_id: there is no machine {asked.machine_id}") from None
        raise unknown_material(material) from None
    return Setting(**row)


async def change(db: Database, setting: int, asked: SettingChange) -> Setting:
    """Raises Unknown, Conflict, Unfit."""
    values = changes(asked)
    async with db.transaction() as tx:
        old = await tx.fetchrow(LOCK, setting)
        if old is None:
            raise unknown(setting)
        after = {**old, **values}
        if problem := mismatch(after["operation"], after["interval_mm"], after["kerf_mm"]):
            raise Unfit(problem)
        await tx.execute(TOUCH, setting)
        try:
            row = await update(tx, "laser_setting", setting, values, COLUMNS)
        except asyncpg.UniqueViolationError:
            raise twice(after["operation"]) from None
    return Setting(**row)


async def remove(db: Queries, setting: int) -> None:
    """Raises Unknown."""
    if await db.fetchval(REMOVE, setting) is None:
        raise unknown(setting)


def unknown(setting: int) -> Unknown:
    return Unknown(f"there is no laser setting {setting}")


def twice(operation: str) -> Conflict:
    return Conflict(
        f"there is a setting to {operation} this material in this thickness on this machine already: change that one"
    )
