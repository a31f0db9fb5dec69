"""A project for the laser: its panels, and the settings of its sheet."""

from __future__ import annotations

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from galvo_engraving.files import lightburn
from tests.plugins.engraving.files.clb import library
from tests.plugins.engraving.http.importing import send
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio
NAME = "Walnut & maple"


@pytest.fixture(scope="module")
async def staff(api: Api) -> httpx.AsyncClient:
    return await api.staff()


async def test_both_exports_together_move_a_line_by_the_kerf_once(api: Api, staff: httpx.AsyncClient) -> None:
    setting = '<speed Value="9"/><maxPower Value="50"/><kerf Value="0.08"/>'
    assert (await send(staff, library(setting, entry='Thickness="0.71" Desc="x"', name="Veneer"))).status_code == 200
    id = await api.shop.db.fetchval("select id from engraving.material where name = 'Veneer'")
    owner = await api.customer()
    asked = {"name": "x", "template_id": 1, "material_id": id, "thickness_mm": 3}
    project = (await owner.post("/api/projects", json=asked)).json()
    assert project["cut"]["kerf_mm"] == 0.16  # export.svg is drawn with it
    told = await owner.get(f"/api/projects/{project['id']}/export.clb")
    (cut,) = lightburn.read(told.content).materials["Veneer"]
    assert cut.kerf is None
    assert str(cut.thickness) == "0.71"  # its own, not that of the sheet


async def test_a_projects_settings_are_exported_as_they_can_be_imported_again(
    api: Api, staff: httpx.AsyncClient
) -> None:
    owner = await api.customer()
    name = "Tea „box“ / <1>"
    material_id, thickness = await api.shop.db.fetchrow(
        "select material_id, thickness_mm from engraving.laser_setting where machine_id = 1 "
        "group by material_id, thickness_mm having count(*) = 3 order by material_id, thickness_mm limit 1"
    )
    asked = {"name": name, "template_id": 1, "material_id": material_id, "thickness_mm": float(thickness)}
    project = (await owner.post("/api/projects", json=asked)).json()
    address = f"/api/projects/{project['id']}/export.clb"
    told = await owner.get(address)
    assert told.status_code == 200, told.text
    assert told.headers["content-type"] == "application/xml"
    assert told.headers["x-content-type-options"] == "nosniff"
    assert told.headers["content-disposition"].startswith('attachment; filename="Tea__box_____1_.clb"; filename*=UTF-8')
    found = lightburn.read(told.content)
    (material,) = found.materials
    rows = await api.shop.db.fetch(
        "select m.name, s.operation, s.speed_mm_s, s.power_pct from engraving.laser_setting s "
        "join engraving.material m on m.id = s.material_id where m.id = $1 "
        "and s.thickness_mm = $2 and s.machine_id = 1",
        *(material_id, thickness),
    )
    assert len(rows) == 3
    assert {material} == {row["name"] for row in rows}
    wanted = {(row["operation"], round(row["speed_mm_s"], 3), round(row["power_pct"], 3)) for row in rows}
    assert {(cut.operation, cut.speed, cut.power) for cut in found.materials[material]} == wanted
    again = (await send(staff, told.text)).json()
    assert (again["added"], again["changed"], again["same"]) == (0, 0, len(rows))
    assert (await send(staff, library(name="Bare"), machine=2)).status_code == 200
    (one,) = await api.shop.db.fetch("select id from engraving.material where name = 'Bare'")
    other = (await owner.post("/api/projects", json=asked | {"name": "x", "material_id": one["id"]})).json()
    none = await owner.get(f"/api/projects/{other['id']}/export.clb")
    assert none.status_code == 422
    assert none.json()["problem"].startswith("CO2 tube, 60 W has no settings for Bare: import a library")
    assert (await api.stranger().get(address)).status_code == 401
    assert (await staff.get(address)).status_code == 404  # nobody's but the owner's


async def test_a_projects_panels_are_exported_for_its_machine(api: Api, staff: httpx.AsyncClient) -> None:
    owner = await api.customer()
    template = await api.shop.db.fetchval("select id from engraving.box_template where slug = 'finger-joint-box'")
    asked = {"name": "Tea", "template_id": template, "material_id": 1, "thickness_mm": 3}
    project = (await owner.post("/api/projects", json=asked | {"parameters": {"width": 100}})).json()
    address = f"/api/projects/{project['id']}/export.svg"
    told = await owner.get(address)
    assert told.status_code == 200, told.text
    assert told.headers["content-type"].startswith("image/svg+xml")
    assert told.headers["content-disposition"] == "attachment; filename=\"Tea.svg\"; filename*=UTF-8''Tea.svg"
    drawing = fromstring(told.content, forbid_dtd=True)
    assert drawing.tag.endswith("svg")
    assert drawing.get("width", "").endswith("mm")
    assert len(drawing.findall(".//{*}path")) >= 6
    wider = {"revision": project["revision"], "parameters": {"width": 150}}
    assert (await owner.patch(f"/api/projects/{project['id']}", json=wider)).status_code == 200
    assert (await owner.get(address)).content != told.content
    generated = await api.shop.db.fetchrow("select id, user_id from engraving.project where id = 1")
    assert (await owner.get(f"/api/projects/{generated['id']}/export.svg")).status_code == 404
    assert (await staff.get(address)).status_code == 404
