"""LightBurn's libraries and catalogues of templates, imported over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from galvo_engraving.files import catalogue, lightburn
from tests.plugins.engraving.files.clb import WOOD, library
from tests.plugins.engraving.http.importing import XML, materials, send, settings
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio
NAME = "Walnut & maple"


@pytest.fixture(scope="module")
async def staff(api: Api) -> httpx.AsyncClient:
    return await api.staff()


async def test_two_machines_libraries_become_one_material_and_the_second_time_nothing_changes(
    api: Api, staff: httpx.AsyncClient
) -> None:
    told = await send(staff, WOOD)
    assert told.status_code == 200, told.text
    first = told.json()
    assert (first["library"], first["materials_added"], first["materials_known"]) == ("Workshop 60W", [NAME], 0)
    assert (first["added"], first["changed"], first["same"], first["left"]) == (3, 0, 0, 1)
    assert first["told"] == [
        {
            "material": NAME,
            "thickness_mm": None,
            "operation": "engrave",
            "title": "Light",
            "done": "left",
            "why": "the file has an earlier entry for the same material, thickness and operation",
        }
    ]
    wanted = [("3.00", "cut", 10.0, 2), ("3.18", "score", 200.0, 1), ("None", "engrave", 1000.0, 1)]
    assert await settings(api, NAME, 1) == wanted
    second = (await send(staff, WOOD, machine=2)).json()
    assert (second["materials_added"], second["materials_known"], second["added"]) == ([], 1, 3)
    again = (await send(staff, WOOD)).json()
    assert (again["added"], again["changed"], again["same"], again["left"]) == (0, 0, 3, 1)
    faster = WOOD.replace('<speed Value="10"/>', '<speed Value="12"/>')
    kept = (await send(staff, faster, mode="add")).json()
    assert (kept["changed"], kept["left"], kept["told"][0]["why"][:24]) == (0, 2, "there is a setting alrea")
    assert await settings(api, NAME, 1) == wanted
    changed = (await send(staff, faster)).json()
    assert (changed["changed"], changed["same"], changed["told"][0]["done"]) == (1, 2, "changed")
    assert (await settings(api, NAME, 1))[0] == ("3.00", "cut", 12.0, 2)
    assert await settings(api, NAME, 2) == wanted


async def test_a_file_that_is_wrong_at_its_end_leaves_nothing_behind(api: Api, staff: httpx.AsyncClient) -> None:
    before = await materials(api)
    half = WOOD.replace("Walnut", "Pear").replace('<dpi Value="254"/>', '<dpi Value="0"/>')
    told = await send(staff, half)
    assert told.status_code == 422
    assert told.json()["problem"].startswith("material 'Pear & maple', entry 4 ('Light'): dpi '0' is not more than 0")
    unknown = await send(staff, WOOD.replace("Walnut", "Pear"), machine=999)
    assert unknown.status_code == 404
    twice = library(name="Pear").replace(
        "</LightBurnLibrary>", '<Material name="pear!"><Entry Thickness="3" Desc="Cut"/></Material></LightBurnLibrary>'
    )
    broken = await send(staff, twice)
    assert broken.status_code == 422
    assert await materials(api) == before


LONG = "q" * 90


@pytest.mark.parametrize("names", [("Ply C++", "Ply C", "Ply (C)"), (LONG + "1", LONG + "2", LONG)])
async def test_materials_whose_slugs_are_equal_stay_apart(
    api: Api, staff: httpx.AsyncClient, names: tuple[str, str, str]
) -> None:
    for number, name in enumerate(names, 1):
        told = await send(staff, library(f'<speed Value="{number}"/><maxPower Value="5"/>', name=name))
        assert told.json()["materials_added"] == [name]
    for number, name in enumerate(names, 1):
        assert await settings(api, name, 1) == [("3.00", "cut", float(number), 1)]
        again = await send(staff, library(f'<speed Value="{number}"/><maxPower Value="5"/>', name=name.upper()))
        assert (again.json()["materials_added"], again.json()["same"]) == ([], 1)
    slugs = await api.shop.db.fetch("select slug from engraving.material where name = any($1) order by id", list(names))
    first = slugs[0]["slug"]
    assert [row["slug"] for row in slugs] == [first, first[:78] + "-2", first[:78] + "-3"]
    both = library(name="Pear").replace("</LightBurnLibrary>", '<Material name="pear!"/></LightBurnLibrary>')
    assert (await send(staff, both)).status_code == 200


@pytest.mark.parametrize("name", ["Pine\x7f", "\U0001f332", "Сосна", "'; drop table engraving.material; --"])
async def test_any_name_that_can_be_shown_is_taken_as_it_is(api: Api, staff: httpx.AsyncClient, name: str) -> None:
    told = await send(staff, library(name=name))
    assert told.status_code == (422 if "\x7f" in name else 200), told.text
    if told.status_code == 200:
        assert told.json()["materials_added"] == [name]
        assert await settings(api, name, 1) == [("3.00", "cut", 10.0, 1)]


async def test_only_staff_imports_and_only_what_it_is_said_to_be(api: Api, staff: httpx.AsyncClient) -> None:
    assert (await send(api.stranger(), WOOD)).status_code == 401
    assert (await send(await api.customer(), WOOD)).status_code == 403
    address = "/api/materials/import?machine_id=1"
    wrong = await staff.post(address, content=WOOD, headers={"content-type": "image/png"})
    assert wrong.status_code == 415
    assert "application/xml" in wrong.json()["problem"]
    api.shop.settings.file_bytes, before = 2000, api.shop.settings.file_bytes
    try:
        assert (await send(staff, WOOD + " " * 2000)).status_code == 413
        large = {"templates": [TEMPLATE | {"summary": "x" * 3000}]}
        assert (await staff.post("/api/templates/import", json=large)).status_code == 413
    finally:
        api.shop.settings.file_bytes = before
    bomb = '<!DOCTYPE x [<!ENTITY a "ha">]><LightBurnLibrary DisplayName="&a;"/>'
    assert (await send(staff, bomb)).json() == {
        "problem": "it has a DTD or entities, which no library of LightBurn's has: remove them"
    }


TEMPLATE: dict[str, Any] = {
    "name": "Pencil cup",
    "group": "desk",
    "difficulty": 2,
    "minutes": 15,
    "summary": "Stands.",
    "parameters": [
        {"section": "size", "name": "height", "type": "length", "default": 100, "minimum": 20, "maximum": 300},
        {"name": "labels", "type": "flag", "default": True},
        {"name": "nesting", "type": "choice", "default": "rows", "choices": ["rows", "tight"], "description": "How."},
    ],
}


async def templates(api: Api, slug: str) -> list[tuple[Any, ...]]:
    rows = await api.shop.db.fetch(
        "select p.position, p.name, p.unit, p.default_value, p.maximum, p.choices from engraving.box_template t "
        "join engraving.box_parameter p on p.template_id = t.id where t.slug = $1 order by p.position",
        slug,
    )
    return [tuple(row) for row in rows]


async def test_a_catalogue_is_added_once_and_replaced_when_that_is_meant(api: Api, staff: httpx.AsyncClient) -> None:
    address = "/api/templates/import"
    told = await staff.post(address, json={"templates": [TEMPLATE, TEMPLATE | {"slug": "other"}]})
    assert told.status_code == 200, told.text
    assert told.json() == {"added": ["pencil-cup", "other"], "changed": [], "parameters": 6}
    assert await templates(api, "pencil-cup") == [
        (1, "height", "mm", "100", 300.0, []),
        (2, "labels", "", "true", None, []),
        (3, "nesting", "", "rows", None, ["rows", "tight"]),
    ]
    again = await staff.post(address, json={"templates": [TEMPLATE | {"slug": "third"}, TEMPLATE]})
    assert (again.status_code, again.json()["problem"][:36]) == (409, "template pencil-cup is there already")
    assert await templates(api, "third") == []
    less = TEMPLATE | {"parameters": TEMPLATE["parameters"][:1]}
    merged = await staff.post(address, json={"templates": [less]}, params={"mode": "merge"})
    assert merged.json() == {"added": [], "changed": ["pencil-cup"], "parameters": 1}
    assert len(await templates(api, "pencil-cup")) == 1
    assert len(await templates(api, "other")) == 3


async def test_a_template_is_not_replaced_by_one_whose_name_only_has_the_same_slug(
    api: Api, staff: httpx.AsyncClient
) -> None:
    address = "/api/templates/import"
    first = TEMPLATE | {"name": "Cup C++"}
    assert (await staff.post(address, json={"templates": [first]})).status_code == 200
    other = TEMPLATE | {"name": "Cup (C)", "parameters": []}
    told = await staff.post(address, json={"templates": [other]}, params={"mode": "merge"})
    assert told.status_code == 409
    assert told.json()["problem"].startswith("template 'Cup (C)': the slug made of it is that of 'Cup C++': give")
    assert len(await templates(api, "cup-c")) == 3
    meant = await staff.post(address, json={"templates": [other | {"slug": "cup-c"}]}, params={"mode": "merge"})
    assert meant.json()["changed"] == ["cup-c"]


def changed(parameter: int, **values: Any) -> dict[str, Any]:
    parameters = [dict(one) for one in TEMPLATE["parameters"]]
    parameters[parameter] |= values
    return TEMPLATE | {"parameters": parameters}


WRONG = {
    "difficulty": TEMPLATE | {"difficulty": 6},
    "templates.1.group": {key: value for key, value in TEMPLATE.items() if key != "group"},
    "templates.1.colour": TEMPLATE | {"colour": "red"},
    "has to be in its own range": changed(0, default=301),
    "has to be a number": changed(0, default="wide"),
    "a maximum that is not below it": changed(0, minimum=400),
    "maximum": changed(0, maximum=1e300),
    "one of true, false": changed(1, default="yes"),
    "one of rows, tight": changed(2, default="diagonal"),
    "two parameters are called labels": changed(2, name="labels", type="flag", choices=[], default=False),
    "the preview uses this name itself": changed(0, name="material_id"),
    "templates 0 and 1 are both": TEMPLATE | {"slug": "fine"},
}


@pytest.mark.parametrize("sentence", WRONG)
async def test_a_catalogue_with_one_wrong_template_is_refused_whole(
    api: Api, staff: httpx.AsyncClient, sentence: str
) -> None:
    asked = {"templates": [TEMPLATE | {"slug": "fine"}, WRONG[sentence]]}
    told = await staff.post("/api/templates/import", json=asked)
    assert told.status_code == 422, told.text
    assert sentence in told.json()["problem"]
    assert await templates(api, "fine") == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 200_000, b'{"templates": NaN}', b"\xff", b'{"templates": [{"name": "\\ud800"}]}']
)
async def test_what_is_no_catalogue_is_refused(staff: httpx.AsyncClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    told = await staff.post("/api/templates/import", content=body, headers=headers)
    assert told.status_code in (400, 422)
    assert json.loads(told.text)["problem"]


async def test_a_catalogue_keeps_nobody_waiting(staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long with a large one does not run where requests are answered."""
    where: list[threading.Thread] = []

    def slug(name: str) -> str:
        where.append(threading.current_thread())
        return "slow-one"

    monkeypatch.setattr(catalogue, "slug", slug)
    told = await staff.post("/api/templates/import?mode=merge", json={"templates": [TEMPLATE | {"name": "Slow one"}]})
    assert told.status_code == 200
    assert where
    assert threading.current_thread() not in where
    xml = await staff.post("/api/templates/import", content="<a/>", headers=XML)
    assert (xml.status_code, "application/json" in xml.text) == (415, True)


async def test_what_is_imported_is_what_was_read(api: Api, staff: httpx.AsyncClient) -> None:
    """Against the reader's own values, for all columns."""
    await send(staff, WOOD.replace("Walnut", "Cherry"))
    rows = await api.shop.db.fetch(
        "select s.* from engraving.laser_setting s join engraving.material m on m.id = s.material_id "
        "where m.name = 'Cherry & maple' order by s.id"
    )
    cuts = lightburn.read(WOOD.encode()).materials[NAME][:3]
    for row, cut in zip(rows, cuts, strict=True):
        assert row["thickness_mm"] == cut.thickness
        assert (row["operation"], row["passes"]) == (cut.operation, cut.passes)
        assert row["air_assist"] == (cut.operation == "cut" if cut.air is None else cut.air)
        assert (row["speed_mm_s"], row["power_pct"]) == pytest.approx((cut.speed, cut.power))
        assert (row["interval_mm"] or 0, row["kerf_mm"] or 0) == pytest.approx((cut.interval or 0, cut.kerf or 0))


async def test_what_a_file_says_nothing_of_stays_as_the_shop_has_it(api: Api, staff: httpx.AsyncClient) -> None:
    measured = '<speed Value="9"/><maxPower Value="50"/><kerf Value="0.08"/><runBlower Value="0"/>'
    silent = '<speed Value="{}"/><maxPower Value="50"/>'
    name = "Measured"
    assert (await send(staff, library(measured, name=name))).json()["added"] == 1
    read = "select s.speed_mm_s, s.kerf_mm, s.interval_mm, s.air_assist from engraving.laser_setting s join " + (
        "engraving.material m on m.id = s.material_id where m.name = $1 and s.operation = $2"
    )
    same = await send(staff, library(silent.format(9), name=name))
    assert (same.json()["same"], same.json()["changed"]) == (1, 0)
    assert (await send(staff, library(silent.format(7), name=name))).json()["changed"] == 1
    row = await api.shop.db.fetchrow(read, name, "cut")
    assert [round(row[0]), round(row[1], 4), *list(row)[2:]] == [7, 0.16, None, False]
    lines = silent.format(9) + '<interval Value="0.05"/>'
    assert (await send(staff, library(lines, name=name, kind="Scan"))).json()["added"] == 1
    assert (await send(staff, library(silent.format(7), name=name, kind="Scan"))).json()["changed"] == 1
    row = await api.shop.db.fetchrow(read, name, "engrave")
    assert (round(row[0]), round(row[2], 4)) == (7, 0.05)


async def test_an_entry_of_no_use_is_left_and_told_with_its_place(staff: httpx.AsyncClient) -> None:
    tool = '<Entry Thickness="3"><CutSetting type="Tool"/></Entry>'
    told = (await send(staff, library(name="Cork").replace("</Material>", f"{tool}</Material>"))).json()
    assert (told["added"], told["left"]) == (1, 1)
    why = told["told"][0].pop("why")
    assert why.startswith("entry 2: CutSetting type 'Tool' does not burn")
    assert told["told"] == [{"material": "Cork", "thickness_mm": 3.0, "operation": "Tool", "title": "", "done": "left"}]


@asynccontextmanager
async def impossible(api: Api, table: str, condition: str) -> AsyncIterator[None]:
    """Rows of `table` that do not fit `condition` cannot be written, meanwhile."""
    connection = await asyncpg.connect(api.dsn)
    try:
        await connection.execute(f"alter table engraving.{table} add constraint odd check ({condition}) not valid")
        yield
        await connection.execute(f"alter table engraving.{table} drop constraint odd")
    finally:
        await connection.close()


async def test_what_the_database_refuses_at_the_end_takes_back_what_was_written_before(
    api: Api, staff: httpx.AsyncClient
) -> None:
    before = await materials(api)
    async with impossible(api, "laser_setting", "speed_mm_s <> 77"):
        with pytest.raises(asyncpg.CheckViolationError):
            await send(staff, library('<speed Value="77"/><maxPower Value="5"/>', name="Lime"))
    assert await materials(api) == before
    odd = TEMPLATE | {"slug": "odd"}
    async with impossible(api, "box_parameter", "name <> 'labels'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await staff.post("/api/templates/import", json={"templates": [odd]})
    assert await api.shop.db.fetchval("select count(*) from engraving.box_template where slug = 'odd'") == 0
    assert (await send(staff, library(name="Lime"))).status_code == 200
    assert (await staff.post("/api/templates/import", json={"templates": [odd]})).status_code == 200
