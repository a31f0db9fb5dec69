"""What customers and operators change. Every client writes to rows of its own, see `Client.own`."""

from __future__ import annotations

from galvo_engraving.world import Client, Database

RENAME = "update engraving.project set name = $2, updated_at = now() where id = $1"
NAME = "select name from engraving.project where id = $1"
ADD_PART = """
insert into engraving.project_part (project_id, name, operation, quantity, width_mm, height_mm, path_mm)
values ($1, $2, 'cut', $3, $4, $5, $6)"""
LOCK_PROJECT = "select status from engraving.project where id = $1 for update"
QUEUE = "insert into engraving.job (project_id, machine, status, queued_at) values ($1, $2, 'queued', now())"
ORDERED = "update engraving.project set status = 'ordered', updated_at = now() where id = $1"
FINISH = "update engraving.job set status = 'done', seconds = $2, finished_at = now() where id = $1"
TUNE = "update engraving.laser_setting set power_pct = $2, updated_at = now() where id = $1"
POWER = "select power_pct from engraving.laser_setting where id = $1"


async def rename_project(db: Database, client: Client) -> int:
    """Reads the name back, as the editor does: an old one means that the answer was stale."""
    project = client.own(client.world.projects)
    name = f"renamed {project} {client.random.randrange(1_000_000)}"
    await db.execute(RENAME, project, name)
    client.stale += await db.fetchval(NAME, project) != name
    return 2


async def add_part(db: Database, client: Client) -> int:
    random = client.random
    width, height = float(random.randint(20, 400)), float(random.randint(15, 300))
    project = client.own(client.world.projects)
    await db.execute(ADD_PART, project, "extra", random.randint(1, 4), width, height, 2 * (width + height))
    return 1


async def order(db: Database, client: Client) -> int:
    """A transaction: the job and the project's status belong together. BEGIN and COMMIT are queries too."""
    project, machine = client.own(client.world.projects), client.machine()
    async with db.acquire() as con, con.transaction():
        await con.fetchval(LOCK_PROJECT, project)
        await con.execute(QUEUE, project, machine)
        await con.execute(ORDERED, project)
    return 5


async def finish_job(db: Database, client: Client) -> int:
    job, seconds = client.own(client.world.jobs), float(client.random.randint(60, 4_000))
    await db.execute(FINISH, job, seconds)
    return 1


async def tune_setting(db: Database, client: Client) -> int:
    """An operator corrects a setting and looks at it again."""
    setting, power = client.own(client.world.settings), float(client.random.randint(10, 90))
    await db.execute(TUNE, setting, power)
    client.stale += await db.fetchval(POWER, setting) != power
    return 2
