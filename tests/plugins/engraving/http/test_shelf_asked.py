"""What the database is asked for by the shelf: once, or before anybody looks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from galvo_embedded import Servers
from galvo_engraving.materials import cutting
from galvo_engraving.templates import store as templates
from galvo_engraving.warming import warm
from tests.plugins.engraving.http.looking import assert_news, edited, looked_at
from tests.plugins.engraving.http.stand import ALL, Api, running
from tests.plugins.engraving.http.watching import Watched, watching

pytestmark = pytest.mark.anyio
SUBSETS = (ALL,)


@pytest.fixture(scope="module")
async def second(api: Api, servers: Servers) -> AsyncIterator[Api]:
    """Another application on the same database and Redis."""
    async with running(ALL, api.dsn, await servers.redis()) as made:
        yield made


async def test_an_edit_in_one_application_is_seen_at_once_in_another(api: Api, second: Api) -> None:
    staff, reader = await api.staff(), second.stranger()
    for number in range(3):
        before = await looked_at(reader, ["templates/2", "templates?limit=100", "materials/2"])
        await edited(staff, ("PATCH", "templates/2", {"name": f"version {number}"}))
        await edited(staff, ("PATCH", "materials/2", {"name": f"version {number}"}))
        await assert_news(reader, before)


@pytest.fixture
async def watched(shop_dsn: str) -> AsyncIterator[Watched]:
    async with watching(shop_dsn) as made:
        yield made


ASKED = ["templates", "templates/groups", "templates/3", "materials", "materials/families", "materials/3",
         "materials/3/settings?thickness_mm=3", "machines", "machines/1"]  # fmt: skip


@pytest.mark.parametrize("path", ASKED)
async def test_a_second_look_asks_for_nothing(watched: Watched, path: str) -> None:
    client = watched.stranger()
    assert await watched.asked(client, f"/api/{path}")
    assert await watched.asked(client, f"/api/{path}") == []
    assert (await client.get("/api/templates/999999")).status_code == 404  # twice: a problem is not kept
    assert (await client.get("/api/templates/999999")).status_code == 404


async def test_what_was_warmed_asks_for_nothing(watched: Watched) -> None:
    used = await watched.shop.db.fetchrow(
        "select template_id as template, material_id as material from engraving.project order by 1, 2 limit 1"
    )
    assert await warm(watched.shop.db, 10_000) > 3
    client = watched.stranger()
    for path in (f"templates/{used['template']}", f"materials/{used['material']}", "machines", "templates/groups",
                 "materials/families"):  # fmt: skip
        assert await watched.asked(client, f"/api/{path}") == []


async def test_warming_begins_with_what_most_projects_use(watched: Watched) -> None:
    db = watched.shop.db
    best = await db.fetchval("select template_id from engraving.project group by 1 order by count(*) desc, 1 limit 1")
    others = await db.fetch("select id from engraving.box_template where id <> $1 limit 3", best)
    assert await warm(db, 1) == 5
    client = watched.stranger()
    assert await watched.asked(client, f"/api/templates/{best}") == []
    for other in others:
        assert templates.ONE in await watched.asked(client, f"/api/templates/{other['id']}")


async def test_a_warmed_answer_dies_with_an_edit(watched: Watched) -> None:
    await warm(watched.shop.db, 10_000)
    best = await watched.shop.db.fetchval("select template_id from engraving.project limit 1")
    await edited(await watched.staff(), ("PATCH", f"templates/{best}", {"summary": "after it was warmed"}))
    assert (await watched.stranger().get(f"/api/templates/{best}")).json()["summary"] == "after it was warmed"


async def test_the_nearest_setting_is_kept_by_row(watched: Watched) -> None:
    assert watched.shop.kernel is not None
    told = (await watched.shop.kernel.explain(cutting.OF_A_MACHINE))["cache"]
    assert told["cacheable"], told
    assert told["rows"] == ["engraving.laser_setting.material_id"]
