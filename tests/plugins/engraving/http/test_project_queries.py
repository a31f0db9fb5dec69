"""What the database is asked for by a project's page, and what an edit leaves answered."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from galvo_cache.reading import OWN
from galvo_engraving.projects import estimating, jobs, owning, page, parameters, parts, store
from tests.conftest import NUMBERS
from tests.plugins.engraving.http.projects import PART, made, posted
from tests.plugins.engraving.http.watching import Watched, watching

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def watched(anyio_backend: str, filled: str, server_dsn: str) -> AsyncIterator[Watched]:
    name = f"{filled}_{next(NUMBERS)}"
    top = await asyncpg.connect(server_dsn)
    await top.execute(f'create database "{name}" template "{filled}" strategy = file_copy')
    dsn = server_dsn.replace("/postgres?", f"/{name}?")
    async with watching(dsn) as made:
        yield made
    await top.execute(f'drop database "{name}" with (force)')
    await top.close()


async def ready(client: httpx.AsyncClient, name: str) -> str:
    """The path of a new project with a part and a job."""
    path = f"/api/projects/{(await made(client, name=name))['id']}"
    await posted(client, f"{path}/parts", PART)
    await posted(client, f"{path}/jobs", {})
    return path


READS = {
    page.HEAD: "box_template.id laser_setting.material_id machine.id material.id project.id user_account.id",
    parameters.PARAMETERS: "box_parameter.template_id",
    page.PARTS: "project_part.project_id",
    page.JOBS: "job.project_id",
    owning.OWNER: "project.id",
    store.FIRST: "project.user_id",
    store.FURTHER: "project.user_id",
    store.REVISIONS: "project_revision.project_id",
    estimating.SHEET: "project.id",
    estimating.SETTINGS: "laser_setting.material_id",
    parts.WHOSE: "project.id project_part.id",
    jobs.JOB: "job.id project.id",
}


@pytest.mark.parametrize("sql", READS)
async def test_each_read_depends_on_the_rows_it_shows_only(watched: Watched, sql: str) -> None:
    assert watched.shop.kernel is not None
    told = (await watched.shop.kernel.explain(sql))["cache"]
    assert told["cacheable"], told
    assert told["rows"] == [f"engraving.{one}" for one in READS[sql].split()]


async def test_a_second_look_asks_for_nothing(watched: Watched) -> None:
    client = await watched.customer()
    path = await ready(client, "Twice")
    first = await watched.asked(client, path)
    assert {page.HEAD, page.PARTS, page.JOBS} <= set(first)
    empty = f"/api/projects/{(await made(client, name='No parts'))['id']}"
    for again in (path, f"{path}/estimate", f"{empty}/estimate", f"{path}/revisions", "/api/projects"):
        await client.get(again)
        assert await watched.asked(client, again) == []


async def test_others_edits_leave_it_answered(watched: Watched) -> None:
    mine, other = await watched.customer(), await watched.customer()
    path = await ready(mine, "Mine")
    theirs = await ready(other, "Theirs")
    for look in (path, "/api/projects"):
        await mine.get(look)
    watched.gate.seen.clear()
    assert (await other.patch(theirs, json={"revision": 1, "name": "Other", "thickness_mm": 4})).status_code == 200
    await posted(other, f"{theirs}/parts", PART)
    await posted(other, f"{theirs}/jobs", {})
    assert (await other.post(f"{theirs}/revisions/1/restore")).status_code == 200
    part = (await other.get(theirs)).json()["parts"][0]["id"]
    assert (await other.patch(f"/api/parts/{part}", json={"quantity": 9})).status_code == 200
    assert (await other.delete(f"/api/parts/{part}")).status_code == 204
    await made(other, name="Another")
    assert [query.sql for query in watched.gate.seen if query.origin == OWN] == []  # each write says whose row it is
    for look in (path, "/api/projects"):
        assert await watched.asked(mine, look) == []


async def test_an_edit_costs_what_it_changed(watched: Watched) -> None:
    client, staff = await watched.customer(), await watched.staff()
    path = await ready(client, "Edited")
    page_of = (await client.get(path)).json()
    part, job = page_of["parts"][0]["id"], page_of["jobs"][0]["id"]
    await client.post(f"{path}/parts", json=PART)
    assert await watched.asked(client, path) == [page.PARTS]
    await client.patch(f"/api/parts/{part}", json={"quantity": 2})
    assert await watched.asked(client, path) == [page.PARTS]
    await staff.patch(f"/api/jobs/{job}", json={"status": "running"})
    assert await watched.asked(client, path) == [page.JOBS]
    await client.patch(path, json={"revision": 1, "name": "Edited again"})
    assert await watched.asked(client, path) == []  # it was looked at by the answer of the edit
    assert (await client.get(path)).json()["name"] == "Edited again"
