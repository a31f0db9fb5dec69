"""The shop's database: loaded once and kept, a copy for each lane, and what clients know of it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from galvo_bench.app.mix import Customer, Drawing, World
from galvo_engraving.demo.databases import with_database
from galvo_engraving.load import load

NAME = "galvo_bench_app"
CUSTOMERS = 300
"""Who are signed in: those with most projects."""
SCALE = 0.25
SEED = 1
TRIED = 4
"""Values of a length that people try."""
OWNERS = """
select u.id, array_agg(distinct p.id) projects, array_agg(distinct j.id) filter (where j.id is not null) jobs
from engraving.user_account u join engraving.project p on p.user_id = u.id
left join engraving.job j on j.project_id = p.id
group by u.id having count(j.id) > 0 order by count(distinct p.id) desc, u.id limit $1"""
THICKNESSES = """
select template_id, minimum, maximum from engraving.box_parameter where name = 'thickness' order by 1"""
THICKEST = 6.0
"""mm; not all templates can be made of more, whatever their parameters say."""
FITTING = 20
"""Sheets of which a template is looked at."""
LENGTHS = """
select template_id, name, default_value, minimum, maximum from engraving.box_parameter
where kind = 'length' and name in ('width', 'depth', 'height') order by 1, 2"""
SHEETS = """
select distinct material_id, thickness_mm from engraving.laser_setting where operation = 'cut' order by 1, 2"""
GROUPS = "select distinct template_group from engraving.box_template order by 1"
FAMILIES = "select distinct family from engraving.material order by 1"
SIGN_IN = "insert into engraving.access_token (digest, user_id, expires_at) values ($1, $2, $3) on conflict do nothing"


@asynccontextmanager
async def copies(
    url: str, lanes: Iterable[str], kept: str = "", scale: float = 0
) -> AsyncIterator[tuple[World, dict[str, str]]]:
    """What clients know, and a DSN for each lane; the copies of `kept` (`NAME`) are dropped at the end."""
    kept, scale = kept or NAME, scale or SCALE
    names = {lane: f"{kept}_{number}" for number, lane in enumerate(lanes)}
    top = await asyncpg.connect(url)
    try:
        if not await top.fetchval("select true from pg_database where datname = $1", kept):
            await top.execute(f"create database {kept}")
        own = await asyncpg.connect(with_database(url, kept))
        try:
            await load(own, scale, SEED)
            world = await known(own)
        finally:
            await own.close()
        await _drop(top, names.values())  # left by a run that was killed
        for name in names.values():
            await top.execute(f"create database {name} template {kept}")
        yield world, {lane: with_database(url, name) for lane, name in names.items()}
    finally:
        await _drop(top, names.values())
        await top.close()


async def known(con: Any) -> World:
    """Signs the customers in."""
    ends = datetime.now(UTC) + timedelta(days=3)

    async def signed_in(user: int) -> str:
        token = f"bench-token-of-user-{user}"
        await con.execute(SIGN_IN, hashlib.sha256(token.encode()).digest(), user, ends)
        return token

    await con.execute("delete from engraving.access_token")
    customers = [
        Customer(await signed_in(row["id"]), list(row["projects"]), list(row["jobs"]))
        for row in await con.fetch(OWNERS, CUSTOMERS)
    ]
    staff = await con.fetchval("update engraving.user_account set role = 'staff' where id = 1 returning id")
    lengths: dict[int, dict[str, list[float]]] = {}
    for row in await con.fetch(LENGTHS):
        default, low, high = float(row["default_value"]), row["minimum"], row["maximum"]
        near = [round(default + step / 2, 1) for step in range(1, TRIED + 1)]
        lengths.setdefault(row["template_id"], {})[row["name"]] = [value for value in near if low <= value <= high]
    templates = await con.fetchval("select count(*) from engraving.box_template")
    sheets = [(material, float(thickness)) for material, thickness in await con.fetch(SHEETS)]
    drawings = []
    for template, low, high in await con.fetch(THICKNESSES):
        fit = [(material, thickness) for material, thickness in sheets if low <= thickness <= min(high, THICKEST)]
        tried = {name: values for name, values in lengths.get(template, {}).items() if values}
        if fit:
            drawings.append(Drawing(template, tried, fit[:: len(fit) // FITTING + 1]))
    return World(
        customers=customers,
        staff=await signed_in(staff),
        templates=templates,
        materials=await con.fetchval("select count(*) from engraving.material"),
        groups=[row[0] for row in await con.fetch(GROUPS)],
        families=[row[0] for row in await con.fetch(FAMILIES)],
        sheets=sheets,
        settings=[row[0] for row in await con.fetch("select id from engraving.laser_setting order by 1")],
        drawings=drawings,
    )


async def _drop(con: Any, names: Iterable[str]) -> None:
    for name in names:
        await con.execute(f"drop database if exists {name} with (force)")
