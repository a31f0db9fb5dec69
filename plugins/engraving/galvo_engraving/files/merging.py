"""Puts a library's settings for one machine beside those of the others: all of them, or none."""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import isclose
from typing import Any

import asyncpg

from galvo_engraving.database import Database, Queries
from galvo_engraving.files.library import Cut, Library, Unused
from galvo_engraving.files.models import Done, LibraryImported, Mode
from galvo_engraving.files.names import free_slug, same_name
from galvo_engraving.problems import Conflict, Unfit, Unknown

TOLD = 200
INTERVAL = 0.1
"""mm between engraved lines: LightBurn's default, which files leave out."""
FAMILY = "imported"
DENSITY = 1.0
NOTE = "Imported from a library without a density: 1 g/cm3 stands for it."
# Locked, so that two imports for one machine come one after the other.
MACHINE = "select id from engraving.machine where id = $1 for update"
# All of them: Python's idea of equal names holds, whatever the database's collation is, and free slugs are seen.
MATERIALS = "select id, slug, name from engraving.material order by id"
MAKE_MATERIALS = f"""
insert into engraving.material (slug, name, family, supplier, density, note)
select slug, name, '{FAMILY}', $2, {DENSITY}, '{NOTE}'
from jsonb_to_recordset($1::text::jsonb) as m (slug text, name text)
returning id, slug"""  # noqa: S608  # constants of this module
SETTINGS = """
select id, material_id, thickness_mm, operation, speed_mm_s, power_pct, passes, interval_mm, kerf_mm, air_assist
from engraving.laser_setting where machine_id = $1 and material_id = any($2) order by id"""
ROWS = """jsonb_to_recordset($1::text::jsonb) as r (
    id integer, material_id integer, thickness_mm numeric, operation text, speed_mm_s real, power_pct real,
    passes smallint, interval_mm real, kerf_mm real, air_assist boolean)"""
ADD = f"""
insert into engraving.laser_setting (machine_id, material_id, thickness_mm, operation, speed_mm_s, power_pct, passes,
    interval_mm, kerf_mm, air_assist)
select $2, material_id, thickness_mm, operation, speed_mm_s, power_pct, passes,
    coalesce(interval_mm, case operation when 'engrave' then {INTERVAL} end), kerf_mm,
    coalesce(air_assist, operation = 'cut')
from {ROWS}"""  # noqa: S608  # constants of this module
# What the file says nothing of stays: a kerf that was measured here, above all.
CHANGE = f"""
update engraving.laser_setting s set speed_mm_s = r.speed_mm_s, power_pct = r.power_pct, passes = r.passes,
    interval_mm = coalesce(r.interval_mm, s.interval_mm), kerf_mm = coalesce(r.kerf_mm, s.kerf_mm),
    air_assist = coalesce(r.air_assist, s.air_assist), updated_at = now()
from {ROWS} where s.id = r.id"""  # noqa: S608  # constants of this module
TWICE = "the file has an earlier entry for the same material, thickness and operation"
THERE = "there is a setting already; mode=merge changes it"
CHANGED = "the machine had another setting"


async def merge(db: Database, library: Library, machine: int, mode: Mode) -> LibraryImported:
    """Raises Unknown, Unfit, Conflict; then nothing was changed."""
    try:
        async with db.transaction() as tx:
            if await tx.fetchval(MACHINE, machine) is None:
                raise Unknown(f"there is no machine {machine}: GET /api/machines")
            ids, added = await _materials(tx, library)
            return await _settings(tx, library, ids, added, machine, mode)
    except asyncpg.UniqueViolationError:
        raise Conflict("somebody else has added one of its materials at the same time: import it again") from None


async def _materials(tx: Queries, library: Library) -> tuple[dict[str, int], list[str]]:
    """The id of each, by name, and which are new. Names alone count: "Ply C" and "Ply C++" have one slug."""
    rows = await tx.fetch(MATERIALS)
    slugs = {row["slug"] for row in rows}
    by_name: dict[str, list[Any]] = {}
    for row in rows:
        by_name.setdefault(same_name(row["name"]), []).append(row)
    ids: dict[str, int] = {}
    new: dict[str, str] = {}
    for name in library.materials:
        named = by_name.get(same_name(name), [])
        if len(named) > 1:
            choice = ", ".join(row["slug"] for row in named[:3])
            raise Unfit(f"material {name!r}: the shop has {len(named)} of this name ({choice}): rename others")
        if named:
            ids[name] = named[0]["id"]
        else:
            new[free_slug(name, slugs)] = name
    if new:
        made = [{"slug": its_slug, "name": name} for its_slug, name in new.items()]
        for row in await tx.fetch(MAKE_MATERIALS, json.dumps(made), library.name or "LightBurn library"):
            ids[new[row["slug"]]] = row["id"]
    return ids, list(new.values())


async def _settings(
    tx: Queries, library: Library, ids: dict[str, int], new: list[str], machine: int, mode: Mode
) -> LibraryImported:
    rows = await tx.fetch(SETTINGS, machine, list(ids.values()))
    known = {(row["material_id"], row["thickness_mm"], row["operation"]): row for row in rows}
    added, changed = [], []
    told = [_unused(one) for one in library.unused]
    same, left = 0, len(told)
    for material, cuts in library.materials.items():
        seen: set[Any] = set()
        for cut in cuts:
            row = known.get((ids[material], *cut.pair))
            if cut.pair in seen:
                left += 1
                told.append(_done(material, cut, "left", TWICE))
            elif row is None:
                added.append(_values(cut) | {"material_id": ids[material]})
            elif _equal(row, cut):
                same += 1
            elif mode == "add":
                left += 1
                told.append(_done(material, cut, "left", THERE))
            else:
                changed.append(_values(cut) | {"id": row["id"]})
                told.append(_done(material, cut, "changed", CHANGED))
            seen.add(cut.pair)
    if added:
        await tx.execute(ADD, _json(added), machine)
    if changed:
        await tx.execute(CHANGE, _json(changed))
    return LibraryImported(
        library=library.name,
        machine_id=machine,
        materials_added=new,
        materials_known=len(ids) - len(new),
        added=len(added),
        changed=len(changed),
        same=same,
        left=left,
        told=told[:TOLD],
    )


def _values(cut: Cut) -> dict[str, Any]:
    return {
        "thickness_mm": None if cut.thickness is None else str(cut.thickness),
        "operation": cut.operation,
        "speed_mm_s": cut.speed,
        "power_pct": cut.power,
        "passes": cut.passes,
        "interval_mm": cut.interval,
        "kerf_mm": cut.kerf,
        "air_assist": cut.air,
    }


def _equal(row: Any, cut: Cut) -> bool:
    """In all that the file says."""
    values = {name: value for name, value in _values(cut).items() if name != "thickness_mm" and value is not None}
    return all(_same(row[name], value) for name, value in values.items())


def _same(one: Any, other: Any) -> bool:
    """A column is a `real`: of seven digits."""
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-6)
    return bool(one == other)


def _done(material: str, cut: Cut, done: Any, why: str) -> Done:
    thickness = None if cut.thickness is None else float(cut.thickness)
    return Done(material=material, thickness_mm=thickness, operation=cut.operation, title=cut.title, done=done, why=why)


def _unused(one: Unused) -> Done:
    thickness = None if one.thickness is None else float(one.thickness)
    return Done(
        material=one.material, thickness_mm=thickness, operation=one.kind, title=one.title, done="left", why=one.why
    )


def _json(rows: Iterable[dict[str, Any]]) -> str:
    return json.dumps(list(rows))
