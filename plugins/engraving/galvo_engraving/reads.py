"""The shop's pages: each makes its queries one after the other and returns how many they were."""

from __future__ import annotations

from galvo_engraving.world import Client, Database

PAGE = 20
"""Entries on a page of a list."""

TEMPLATES = """
select id, slug, name, difficulty, minutes, summary from engraving.box_template
where template_group = $1 order by name, id limit $2 offset $3"""

TEMPLATE = """
select id, slug, name, template_group, difficulty, minutes, summary
from engraving.box_template where id = $1"""

PARAMETERS = """
select position, section, name, kind, unit, default_value, minimum, maximum, choices, description
from engraving.box_parameter where template_id = $1 order by position"""

MATERIALS = """
select m.id, m.slug, m.name, m.supplier, count(distinct s.thickness_mm) as sheets
from engraving.material m join engraving.laser_setting s on s.material_id = m.id
where m.family = $1 group by m.id order by m.name, m.id limit $2"""

MATERIAL = "select id, slug, name, family, supplier, density, note from engraving.material where id = $1"

SETTINGS = """
select id, thickness_mm, operation, speed_mm_s, power_pct, passes, interval_mm, kerf_mm, air_assist
from engraving.laser_setting where material_id = $1 order by thickness_mm, operation"""

SHEET = """
select id, operation, speed_mm_s, power_pct, passes, interval_mm, kerf_mm, air_assist
from engraving.laser_setting where material_id = $1 and thickness_mm = $2 order by operation"""

USER = "select id, name, studio, email, created_at from engraving.user_account where id = $1"

USER_PROJECTS = """
select p.id, p.name, p.status, p.updated_at, t.name as template, m.name as material
from engraving.project p
join engraving.box_template t on t.id = p.template_id
join engraving.material m on m.id = p.material_id
where p.user_id = $1 order by p.updated_at desc, p.id desc limit $2"""

PROJECT = """
select p.id, p.name, p.status, p.parameters, p.thickness_mm, p.user_id, p.template_id, p.material_id, p.updated_at,
       u.name as customer, u.studio, t.name as template, t.minutes, m.name as material,
       s.speed_mm_s, s.power_pct, s.passes, count(part.id) as parts,
       sum(part.quantity * part.path_mm) * max(s.passes) / max(s.speed_mm_s) as cutting_seconds
from engraving.project p
join engraving.user_account u on u.id = p.user_id
join engraving.box_template t on t.id = p.template_id
join engraving.material m on m.id = p.material_id
left join engraving.laser_setting s
    on s.material_id = p.material_id and s.thickness_mm = p.thickness_mm and s.operation = 'cut'
    and s.machine_id = p.machine_id
left join engraving.project_part part on part.project_id = p.id and part.operation = 'cut'
where p.id = $1 group by p.id, u.id, t.id, m.id, s.id"""

PARTS = """
select id, name, operation, quantity, width_mm, height_mm, path_mm
from engraving.project_part where project_id = $1 order by id limit 200"""

JOBS = """
select id, machine, status, seconds, queued_at, finished_at
from engraving.job where project_id = $1 order by queued_at desc, id desc limit $2"""

JOB = """
select j.id, j.status, j.machine, j.seconds, j.queued_at, j.finished_at, j.project_id, p.name as project
from engraving.job j join engraving.project p on p.id = j.project_id where j.id = $1"""


async def template_list(db: Database, client: Client) -> int:
    """A group of the gallery; most people never turn to the second page."""
    group = client.choice(client.world.groups)
    page = client.random.choice((0, 0, 0, 1))
    await db.fetch(TEMPLATES, group, PAGE, page * PAGE)
    return 1


async def template_page(db: Database, client: Client) -> int:
    template = client.popular(client.world.templates)
    await db.fetchrow(TEMPLATE, template)
    await db.fetch(PARAMETERS, template)
    return 2


async def material_list(db: Database, client: Client) -> int:
    await db.fetch(MATERIALS, client.choice(client.world.families), PAGE)
    return 1


async def material_page(db: Database, client: Client) -> int:
    material = client.popular(client.world.materials)
    await db.fetchrow(MATERIAL, material)
    await db.fetch(SETTINGS, material)
    return 2


async def sheet_settings(db: Database, client: Client) -> int:
    """What the editor asks for when somebody picks a sheet."""
    sheets = client.world.sheets
    material, thickness = sheets[client.popular(len(sheets)) - 1]
    await db.fetch(SHEET, material, thickness)
    return 1


async def user_page(db: Database, client: Client) -> int:
    user = client.popular(client.world.users)
    await db.fetchrow(USER, user)
    await db.fetch(USER_PROJECTS, user, PAGE)
    return 2


async def project_page(db: Database, client: Client) -> int:
    project = client.popular(client.world.projects)
    head = await db.fetchrow(PROJECT, project)
    await db.fetch(PARTS, project)
    await db.fetch(JOBS, project, PAGE)
    await db.fetch(PARAMETERS, head["template_id"])
    return 4


async def job_status(db: Database, client: Client) -> int:
    """Polled by whoever waits for a machine."""
    await db.fetchrow(JOB, client.popular(client.world.jobs))
    return 1
