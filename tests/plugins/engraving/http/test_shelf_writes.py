"""What staff changes on the shelf, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}
MATERIAL = {"name": "Näpfchen Ply, 3-fold", "family": "wood", "supplier": "Ours", "density": 0.6}
TEMPLATE = {"name": "Puzzle box", "template_group": "boxes", "difficulty": 5, "minutes": 90, "summary": "Turn twice."}
MACHINE = {"name": "Galvo", "watts": 20, "bed_width_mm": 110, "bed_height_mm": 110, "dots_per_mm": 20.5}
CUT = {"machine_id": 1, "thickness_mm": 2.55, "operation": "cut", "speed_mm_s": 11.1, "power_pct": 70, "kerf_mm": 0.13}
ENGRAVE = {"machine_id": 2, "thickness_mm": None, "operation": "engrave", "speed_mm_s": 300, "power_pct": 20,
           "interval_mm": 0.1}  # fmt: skip
WIDTH = {"section": "size", "name": "width", "kind": "length", "unit": "mm", "default_value": "40", "minimum": 10,
         "maximum": 90.5, "description": "Across."}  # fmt: skip
LID = {"section": "form", "name": "lid", "kind": "choice", "default_value": "flat", "choices": ["flat", "domed"]}


@pytest.fixture(scope="module")
async def staff(api: Api) -> httpx.AsyncClient:
    return await api.staff()


async def made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    told = await client.post(f"/api/{path}", json=body)
    assert told.status_code == 201, told.text
    found: dict[str, Any] = told.json()
    assert "settings" in path or (await client.get(f"/api/{path}/{found['id']}")).json() == found
    return found


async def test_a_material_lives_from_its_post_to_its_delete(staff: httpx.AsyncClient) -> None:
    material = await made(staff, "materials", MATERIAL)
    assert material["slug"] == "napfchen-ply-3-fold"
    page = f"/api/materials/{material['id']}"
    cut = await made(staff, f"materials/{material['id']}/settings", CUT)
    engrave = await made(staff, f"materials/{material['id']}/settings", ENGRAVE)
    assert (await staff.get(page)).json() == material | {"settings": [cut, engrave]}
    changed = await staff.patch(f"/api/settings/{cut['id']}", json={"thickness_mm": 2.6, "kerf_mm": None})
    assert changed.json() == cut | {"thickness_mm": 2.6, "kerf_mm": None, "updated_at": changed.json()["updated_at"]}
    assert changed.json()["updated_at"] > cut["updated_at"]
    assert (await staff.delete(f"/api/settings/{engrave['id']}")).status_code == 204
    assert (await staff.delete(f"/api/settings/{engrave['id']}")).status_code == 404
    renamed = await staff.patch(page, json={"name": "Ply", "note": "two\nlines"})
    assert renamed.json() == material | {"name": "Ply", "note": "two\nlines", "settings": [changed.json()]}
    assert (await staff.delete(page)).status_code == 204
    for told in (await staff.get(page), await staff.patch(page, json={"name": "x"}), await staff.delete(page)):
        assert told.status_code == 404
    assert (await staff.patch(f"/api/settings/{cut['id']}", json={"passes": 2})).status_code == 404


async def test_a_template_lives_from_its_post_to_its_delete(staff: httpx.AsyncClient) -> None:
    template = await made(staff, "templates", TEMPLATE)
    page = f"/api/templates/{template['id']}"
    assert (template["slug"], template["parameters"], template["drawable"]) == ("puzzle-box", [], False)
    told = await staff.put(f"{page}/parameters", json={"parameters": [WIDTH, LID]})
    assert [(one["position"], one["name"]) for one in told.json()["parameters"]] == [(1, "width"), (2, "lid")]
    assert (await staff.get(page)).json() == told.json()
    told = await staff.put(f"{page}/parameters", json={"parameters": [LID]})
    assert [(one["position"], one["name"]) for one in told.json()["parameters"]] == [(1, "lid")]
    sizes = [WIDTH | {"name": name} for name in ("width", "depth", "height")]
    told = await staff.put(f"{page}/parameters", json={"parameters": sizes})
    assert told.json()["drawable"]  # a box is made of these
    assert (await staff.put(f"{page}/parameters", json={"parameters": []})).json()["parameters"] == []
    assert (await staff.patch(page, json={"minutes": 80})).json()["minutes"] == 80
    assert (await staff.delete(page)).status_code == 204
    assert (await staff.put(f"{page}/parameters", json={"parameters": [LID]})).status_code == 404
    for told in (await staff.get(page), await staff.patch(page, json={"name": "x"}), await staff.delete(page)):
        assert told.status_code == 404


async def test_a_machine_lives_from_its_post_to_its_delete(staff: httpx.AsyncClient) -> None:
    machine = await made(staff, "machines", MACHINE | {"slug": "g-1"})
    page = f"/api/machines/{machine['id']}"
    await made(staff, "materials/1/settings", ENGRAVE | {"machine_id": machine["id"]})
    assert (await staff.patch(page, json={"watts": 30})).json() == machine | {"watts": 30}
    assert (await staff.delete(page)).status_code == 204
    found = await staff.get("/api/materials/1/settings", params={"machine_id": machine["id"]})
    assert found.json() == {"entries": []}  # went with it
    for told in (await staff.get(page), await staff.patch(page, json={"watts": 1}), await staff.delete(page)):
        assert told.status_code == 404


async def test_what_is_there_already_is_a_conflict(staff: httpx.AsyncClient) -> None:
    material = await made(staff, "materials", MATERIAL | {"name": "twice"})
    cut = await made(staff, f"materials/{material['id']}/settings", CUT)
    score = await made(staff, f"materials/{material['id']}/settings", CUT | {"operation": "score", "kerf_mm": None})
    await made(staff, f"materials/{material['id']}/settings", ENGRAVE)
    for told in (
        await staff.post("/api/materials", json=MATERIAL | {"name": "Twice!"}),
        await staff.patch("/api/materials/1", json={"slug": "twice"}),
        await staff.post("/api/templates", json=TEMPLATE | {"slug": "open-box"}),
        await staff.patch("/api/templates/1", json={"slug": "open-box"}),
        await staff.post("/api/machines", json=MACHINE | {"name": "CO2 60"}),
        await staff.patch("/api/machines/2", json={"slug": "co2-60"}),
        await staff.post(f"/api/materials/{material['id']}/settings", json=CUT),
        await staff.post(f"/api/materials/{material['id']}/settings", json=ENGRAVE),  # null is a thickness, too
    ):
        assert told.status_code == 409, told.text
        assert "already" in told.json()["problem"]
    other = await made(staff, f"materials/{material['id']}/settings", CUT | {"thickness_mm": 9})
    told = await staff.patch(f"/api/settings/{other['id']}", json={"thickness_mm": 2.55})
    assert told.status_code == 409
    listed = (await staff.get(f"/api/materials/{material['id']}/settings", params={"thickness_mm": 2.55})).json()
    assert listed["entries"] == [cut, score]


async def test_what_projects_use_stays(api: Api, staff: httpx.AsyncClient) -> None:
    row = await api.shop.db.fetchrow("select template_id, material_id, machine_id from engraving.project limit 1")
    for path in (f"templates/{row['template_id']}", f"materials/{row['material_id']}", f"machines/{row['machine_id']}"):
        told = await staff.delete(f"/api/{path}")
        assert told.status_code == 409
        assert "is used by projects" in told.json()["problem"]
        assert (await staff.get(f"/api/{path}")).status_code == 200


WRITES = [
    ("POST", "materials"), ("PATCH", "materials/1"), ("DELETE", "materials/1"), ("POST", "materials/1/settings"),
    ("PATCH", "settings/1"), ("DELETE", "settings/1"), ("POST", "templates"), ("PATCH", "templates/1"),
    ("PUT", "templates/1/parameters"), ("DELETE", "templates/1"), ("POST", "machines"), ("PATCH", "machines/1"),
    ("DELETE", "machines/1"),
]  # fmt: skip


@pytest.mark.parametrize("method, path", WRITES)
async def test_only_staff_writes(api: Api, method: str, path: str) -> None:
    body = {"POST": MATERIAL, "PATCH": {"name": "x"}, "PUT": {"parameters": []}, "DELETE": None}[method]
    for client, status in ((api.stranger(), 401), (await api.customer(), 403)):
        told = await client.request(method, f"/api/{path}", json=body)
        assert told.status_code in (status, 422), told.text
    fitting = {"materials/1/settings": CUT, "templates": TEMPLATE, "machines": MACHINE, "settings/1": {"passes": 2}}
    body = fitting.get(path, body)
    for client, status in ((api.stranger(), 401), (await api.customer(), 403)):
        assert (await client.request(method, f"/api/{path}", json=body)).status_code == status


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("materials", MATERIAL | {"density": 0}, "density"), ("materials", MATERIAL | {"density": 1e-60}, "density"),
    ("materials", MATERIAL | {"density": "NaN"}, "density"), ("materials", MATERIAL | {"name": "\x00"}, "name"),
    ("materials", MATERIAL | {"name": "\ud800"}, "name"), ("materials", MATERIAL | {"note": "\x00"}, "note"),
    ("materials", MATERIAL | {"name": "木"}, "slug"), ("materials", MATERIAL | {"slug": "A b"}, "slug"),
    ("materials", MATERIAL | {"colour": 1}, "colour"), ("materials", MATERIAL | {"note": "x" * 2001}, "note"),
    ("templates", TEMPLATE | {"minutes": 10**30}, "minutes"), ("templates", TEMPLATE | {"difficulty": 6}, "difficulty"),
    ("machines", MACHINE | {"watts": -1}, "watts"), ("machines", MACHINE | {"bed_width_mm": 1e30}, "bed_width_mm"),
    ("materials/1/settings", CUT | {"thickness_mm": -1}, "thickness_mm"),
    ("materials/1/settings", CUT | {"thickness_mm": 0}, "thickness_mm"),
    ("materials/1/settings", CUT | {"thickness_mm": 1000}, "thickness_mm"),
    ("materials/1/settings", CUT | {"thickness_mm": 3.001}, "thickness_mm"),
    ("materials/1/settings", CUT | {"speed_mm_s": 0}, "speed_mm_s"),
    ("materials/1/settings", CUT | {"speed_mm_s": 1e-50}, "speed_mm_s"),
    ("materials/1/settings", CUT | {"power_pct": 101}, "power_pct"),
    ("materials/1/settings", CUT | {"passes": 40_000}, "passes"),
    ("materials/1/settings", CUT | {"machine_id": 4711}, "machine_id: there is no machine 4711"),
    ("materials/1/settings", CUT | {"interval_mm": 0.1}, "body: interval_mm"),
    ("materials/1/settings", ENGRAVE | {"kerf_mm": 0.1}, "body: kerf_mm"),
    ("materials/1/settings", ENGRAVE | {"interval_mm": None}, "body: interval_mm"),
]  # fmt: skip


@pytest.mark.parametrize("path, body, problem", WRONG)
async def test_what_cannot_be_is_not_stored(
    api: Api, staff: httpx.AsyncClient, path: str, body: dict[str, Any], problem: str
) -> None:
    told = await staff.post(f"/api/{path}", content=json.dumps(body), headers=JSON)
    assert told.status_code == 422, told.text
    assert told.json()["problem"].startswith(problem)


async def test_what_is_next_to_nothing_is_nothing(api: Api, staff: httpx.AsyncClient) -> None:
    """A `real` column cannot hold 1e-60."""
    material = await made(staff, "materials", MATERIAL | {"name": "next to nothing"})
    cut = await made(staff, f"materials/{material['id']}/settings", CUT | {"kerf_mm": 1e-60})
    assert cut["kerf_mm"] == 0
    assert (await staff.patch(f"/api/settings/{cut['id']}", json={"kerf_mm": 1e-50})).json()["kerf_mm"] == 0
    tiny = WIDTH | {"default_value": "0", "minimum": -1e-60, "maximum": 90}
    template = await made(staff, "templates", TEMPLATE | {"name": "next to nothing"})
    told = await staff.put(f"/api/templates/{template['id']}/parameters", json={"parameters": [tiny]})
    assert told.json()["parameters"][0]["minimum"] == 0
    width = {"name": "width", "type": "length", "default": 0, "minimum": -1e-60, "maximum": 1}
    template = {"name": "close to nothing", "group": "g", "difficulty": 1, "minutes": 1, "parameters": [width]}
    assert (await staff.post("/api/templates/import", json={"templates": [template]})).status_code == 200
    owner = await api.customer()
    body = {"name": "x", "template_id": 1, "material_id": material["id"], "thickness_mm": 3}
    project = await made(owner, "projects", body)
    part = {"name": "x", "operation": "cut", "width_mm": 1, "height_mm": 1, "path_mm": 1e-60}
    told = await owner.post(f"/api/projects/{project['id']}/parts", json=part)
    assert (told.status_code, told.json()["path_mm"]) == (201, 0)
    assert (await owner.patch(f"/api/parts/{told.json()['id']}", json={"path_mm": 1e-50})).json()["path_mm"] == 0
    job = (await owner.post(f"/api/projects/{project['id']}/jobs", json={})).json()
    await staff.patch(f"/api/jobs/{job['id']}", json={"status": "running"})
    assert (await staff.patch(f"/api/jobs/{job['id']}", json={"status": "done", "seconds": 1e-60})).status_code == 422


@pytest.mark.parametrize(
    "parameter, problem",
    [
        (WIDTH | {"minimum": None}, "a length needs a minimum"), (WIDTH | {"minimum": 95}, "a length needs a minimum"),
        (WIDTH | {"default_value": "9"}, "in its own range"), (WIDTH | {"default_value": "nan"}, "has to be a number"),
        (WIDTH | {"default_value": "wide"}, "has to be a number"), (WIDTH | {"choices": ["a"]}, "has no choices"),
        (WIDTH | {"kind": "count", "default_value": "40.5"}, "has to be a whole number"),
        (WIDTH | {"kind": "count", "default_value": "4_0"}, "has to be a whole number"),
        (WIDTH | {"default_value": "\u0664\u0660"}, "has to be a number"),
        (WIDTH | {"default_value": "4e1"}, "has to be a number"),
        (WIDTH | {"default_value": " 40 "}, "has to be a number"),
        (WIDTH | {"name": "thickness_mm"}, "take another one"), (WIDTH | {"name": "Width"}, "name"),
        (LID | {"default_value": "round"}, "one of flat, domed"), (LID | {"choices": []}, "there are none"),
        (LID | {"choices": ["flat", "flat"]}, "are the same"), (LID | {"minimum": 1}, "no minimum"),
        (LID | {"kind": "flag", "choices": []}, "one of true, false"),
        (LID | {"kind": "flag"}, "a flag has no choices"),
        (LID | {"name": "height"}, "two parameters are called height"),
    ],
)  # fmt: skip
async def test_parameters_that_cannot_be_leave_the_template_as_it_was(
    staff: httpx.AsyncClient, parameter: dict[str, Any], problem: str
) -> None:
    before = (await staff.get("/api/templates/1")).json()
    told = await staff.put("/api/templates/1/parameters", json={"parameters": [WIDTH | {"name": "height"}, parameter]})
    assert told.status_code == 422
    assert problem in told.json()["problem"]
    assert (await staff.get("/api/templates/1")).json() == before


@pytest.mark.parametrize("path", ["materials/1", "templates/1", "machines/1", "settings/1"])
async def test_a_change_says_what(staff: httpx.AsyncClient, path: str) -> None:
    for body, problem in (({}, "nothing would change"), ({"id": 7}, "id")):
        told = await staff.patch(f"/api/{path}", json=body)
        assert told.status_code == 422
        assert told.json()["problem"].startswith(problem)
    name = "passes" if path == "settings/1" else "name"
    assert (await staff.patch(f"/api/{path}", json={name: None})).status_code == 422


async def test_a_change_of_a_setting_fits_its_operation(api: Api, staff: httpx.AsyncClient) -> None:
    number = await api.shop.db.fetchval("select id from engraving.laser_setting where operation = 'engrave' limit 1")
    for change in ({"interval_mm": None}, {"kerf_mm": 0.1}):
        told = await staff.patch(f"/api/settings/{number}", json=change)
        assert told.status_code == 422
        assert told.json()["problem"].startswith(next(iter(change)))
