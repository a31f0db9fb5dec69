"""Previews over HTTP: what they are drawn from, and that they die with it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from defusedxml import ElementTree

from galvo_engraving.boxes import routes, turns
from galvo_engraving.boxes.sheet import preview_svg
from tests.plugins.engraving.http.stand import Api, active

pytestmark = pytest.mark.anyio
PATH = "{http://www.w3.org/2000/svg}path"


async def _of(api: Api, slug: str, **asked: Any) -> httpx.Response:
    found = await api.shop.db.fetchval("select id from engraving.box_template where slug = $1", slug)
    return await api.stranger().get(f"/api/templates/{found}/preview", params=asked)


async def test_a_drawing_that_browsers_ask_for_once(api: Api) -> None:
    answer = await _of(api, "finger-joint-box")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")
    root = ElementTree.fromstring(answer.content)
    assert {path.get("data-part") for path in root.iter(PATH)} >= {"front", "back", "left", "right", "floor", "top"}
    again = await api.stranger().get(answer.url.raw_path.decode(), headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_what_is_chosen_is_drawn(api: Api) -> None:
    plain = await _of(api, "finger-joint-box", width="120")
    assert plain.content == (await _of(api, "finger-joint-box")).content  # its default
    for asked in ({"width": "150"}, {"kerf": "0.4"}, {"labels": "false"}, {"nesting": "tight"}, {"thickness_mm": 4}):
        other = await _of(api, "finger-joint-box", **asked)
        assert other.status_code == 200, asked
        assert other.content != plain.content, asked


@pytest.mark.parametrize(
    "asked, said",
    [
        ({"depht": "3"}, "depht: the template has no such parameter"),
        ({"width": "5000"}, "width: this must be from 20 to 900 mm"),
        ({"width": "nan"}, "width: this must be a number mm"),
        ({"labels": "perhaps"}, "labels: this must be true or false"),
        ({"nesting": "loose"}, "nesting: this must be one of rows, tight, by-part"),
        ({"width": ["1", "2"]}, "a parameter is given twice"),
        ({"\x00": "1"}, "?: the template has no such parameter"),
        ({"material_id": 10**6}, "material_id: there is no such material"),
        ({"machine_id": 10**6}, "machine_id: there is no such machine"),
        ({"thickness_mm": 50}, "thickness: this must be from"),
        ({"thickness_mm": "inf"}, "thickness_mm: "),
        ({"thickness_mm": 1000}, "thickness_mm: "),
        ({"thickness_mm": 500}, "thickness: this must be from"),
        ({"material_id": 0}, "material_id: "),
    ],
)
async def test_what_cannot_be_drawn_is_told(api: Api, asked: dict[str, Any], said: str) -> None:
    answer = await _of(api, "finger-joint-box", **asked)
    assert answer.status_code == 422
    assert answer.json()["problem"].startswith(said)


async def test_no_template(api: Api) -> None:
    answer = await api.stranger().get("/api/templates/999999/preview")
    assert (answer.status_code, answer.json()["problem"]) == (404, "there is no such template")


async def test_the_kerf_is_the_materials_and_an_edit_of_it_is_seen_at_once(api: Api) -> None:
    db = api.shop.db
    sheet = await db.fetchrow(
        "select material_id, thickness_mm from engraving.laser_setting where operation = 'cut' and machine_id = 1"
        " and thickness_mm between 3 and 4 order by id limit 1"
    )
    asked = {"material_id": sheet["material_id"], "thickness_mm": float(sheet["thickness_mm"]), "machine_id": 1}
    set_kerf = (
        "update engraving.laser_setting set kerf_mm = $3 where material_id = $1 and thickness_mm = $2"
        " and operation = 'cut' and machine_id = 1"
    )
    bodies = []
    for kerf in (0.1, 0.3):
        await db.execute(set_kerf, sheet["material_id"], sheet["thickness_mm"], kerf)
        answer = await _of(api, "open-box", **asked)
        given = await _of(api, "open-box", **asked, kerf=str(kerf))
        assert answer.content == given.content
        assert answer.headers["etag"] == given.headers["etag"]
        bodies.append(answer.content)
    assert bodies[0] != bodies[1]


async def test_an_edit_of_the_template_is_seen_at_once(api: Api) -> None:
    before = await _of(api, "type-tray")
    await api.shop.db.execute(
        "update engraving.box_parameter set default_value = '5' where name = 'columns' and template_id ="
        " (select id from engraving.box_template where slug = 'type-tray')"
    )
    after = await _of(api, "type-tray")
    assert after.headers["etag"] != before.headers["etag"]
    parts = {path.get("data-part") for path in ElementTree.fromstring(after.content).iter(PATH)}
    assert "divider 4" in parts
    assert "divider 5" not in parts


async def test_a_template_that_has_nothing_to_draw(api: Api) -> None:
    made = await api.shop.db.fetchval(
        "insert into engraving.box_template (slug, name, template_group, difficulty, minutes, summary)"
        " values ('idea', 'Idea', 'boxes', 1, 1, 'Nothing yet.') returning id"
    )
    answer = await api.stranger().get(f"/api/templates/{made}/preview")
    assert answer.status_code == 422
    assert "cannot be drawn" in answer.json()["problem"]


async def test_a_project_is_drawn_on_its_machines_beds(api: Api) -> None:
    from galvo_engraving.boxes.exports import project_svg

    db = api.shop.db
    template = await db.fetchval("select id from engraving.box_template where slug = 'drawer-cabinet'")
    material = await db.fetchval("select id from engraving.material order by id limit 1")
    stored = {"drawers": "3", "width": "99999", "gone": "1"}  # from other times
    drawn = await project_svg(db, template=template, material=material, machine=2, thickness=4, stored=stored)
    root = ElementTree.fromstring(drawn)
    parts = {path.get("data-part") for path in root.iter(PATH)}
    assert "drawer 3 front" in parts
    assert "drawer 4 front" not in parts
    assert root.get("height") == "400mm"


async def test_when_many_wait_it_is_told_when_to_come_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SMALL_ONES", 0)
    answer = await _of(api, "finger-joint-box", width="77")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["problem"].startswith("too many drawings")


async def test_it_is_drawn_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cache; drawn again as soon as what it is made of was written."""
    drawn = []

    def counted(*args: Any, **options: Any) -> bytes:
        drawn.append(1)
        return preview_svg(*args, **options)

    keeps = active(api.shop, "cache", "pool")
    monkeypatch.setattr(routes, "preview_svg", counted)
    for _ in range(5):
        await _of(api, "bookend", width="133")
    assert len(drawn) == (1 if keeps else 5)
