"""What everybody looks at: templates, materials, laser settings, machines."""

from __future__ import annotations

import pytest

from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/api/templates", "/api/materials"])
async def test_the_pages_of_a_list_have_everything_once_by_name(api: Api, path: str) -> None:
    client = api.stranger()
    found, after = [], ""
    while after is not None:
        page = (await client.get(path, params={"limit": 7, "after": after})).json()
        assert len(page["entries"]) <= 7
        found += page["entries"]
        after = page["next"]
    table = {"/api/templates": "box_template", "/api/materials": "material"}[path]
    rows = await api.shop.db.fetch(f"select id from engraving.{table} order by name, id")
    assert [entry["id"] for entry in found] == [row["id"] for row in rows]


async def test_a_list_is_of_one_group_or_of_what_is_searched_for(api: Api) -> None:
    client = api.stranger()
    groups = (await client.get("/api/templates/groups")).json()["entries"]
    for group in groups:
        found = (await client.get("/api/templates", params={"group": group["name"], "limit": 100})).json()["entries"]
        assert len(found) == group["count"]
        assert {entry["template_group"] for entry in found} == {group["name"]}
    families = (await client.get("/api/materials/families")).json()["entries"]
    wood = (await client.get("/api/materials", params={"family": families[-1]["name"], "limit": 100})).json()
    assert len(wood["entries"]) == families[-1]["count"]
    found = (await client.get("/api/materials", params={"search": "BIRCH ply"})).json()["entries"]
    assert [entry["slug"] for entry in found] == ["birch-plywood"]
    assert found[0]["sheets"] == 4
    assert (await client.get("/api/materials", params={"search": "100%"})).json() == {"entries": [], "next": None}


async def test_a_template_comes_with_its_parameters_in_order(api: Api) -> None:
    template = (await api.stranger().get("/api/templates/1")).json()
    assert (template["slug"], template["name"], template["drawable"]) == ("finger-joint-box", "Finger-joint box", True)
    assert [one["position"] for one in template["parameters"]] == list(range(1, len(template["parameters"]) + 1))
    assert template["parameters"][0]["name"] == "width"
    kerf = next(one for one in template["parameters"] if one["name"] == "kerf")
    assert kerf == {
        "position": kerf["position"], "section": "joint", "name": "kerf", "kind": "length", "unit": "mm",
        "default_value": "0.14", "minimum": 0.0, "maximum": 0.5, "choices": [],
        "description": "Width of the cut; half of it is added on each side of an edge.",
    }  # fmt: skip


async def test_every_template_of_the_catalogue_can_be_drawn(api: Api) -> None:
    client = api.stranger()
    for row in await api.shop.db.fetch("select id, slug from engraving.box_template"):
        assert (await client.get(f"/api/templates/{row['id']}")).json()["drawable"], row["slug"]


async def test_a_material_comes_with_its_settings_as_they_were_written(api: Api) -> None:
    client = api.stranger()
    number = (await client.get("/api/materials", params={"search": "birch ply"})).json()["entries"][0]["id"]
    birch = (await client.get(f"/api/materials/{number}")).json()
    assert birch["density"] == 0.68
    assert len(birch["settings"]) == 12
    sheet = await client.get(f"/api/materials/{number}/settings", params={"thickness_mm": "3.0", "operation": "cut"})
    (cut,) = sheet.json()["entries"]
    assert (cut["speed_mm_s"], cut["power_pct"], cut["kerf_mm"], cut["interval_mm"]) == (17.5, 65.0, 0.14, None)
    assert cut in birch["settings"]
    everything = {"thickness_mm": 3, "machine_id": 1}
    assert len((await client.get(f"/api/materials/{number}/settings", params=everything)).json()["entries"]) == 3
    for other in ({"thickness_mm": 3.01}, {"thickness_mm": 3, "machine_id": 2}):
        assert (await client.get(f"/api/materials/{number}/settings", params=other)).json() == {"entries": []}


async def test_machines_are_all_on_one_page(api: Api) -> None:
    client = api.stranger()
    machines = (await client.get("/api/machines")).json()["entries"]
    assert [machine["slug"] for machine in machines] == ["co2-60", "diode-10"]
    assert (await client.get("/api/machines/2")).json() == machines[1]


@pytest.mark.parametrize(
    "path", ["templates/999999", "materials/999999", "machines/999999", "materials/999999/settings?thickness_mm=3"]
)
async def test_what_is_not_there_is_told(api: Api, path: str) -> None:
    told = await api.stranger().get(f"/api/{path}")
    assert told.status_code == 404
    assert told.json()["problem"].startswith("there is no ")


@pytest.mark.parametrize(
    "path, status",
    [
        ("templates/0", 422), ("templates/2147483648", 422), ("templates/x", 422), ("templates?limit=0", 422),
        ("templates?limit=101", 422), ("templates?search=%00", 422), ("templates?group=%00", 422),
        ("materials?family=%00", 422), ("templates?after=x", 400), ("materials?after=bnVsbA", 400),
        ("templates?after=WyJhIiwtMV0", 400), ("templates?after=WyJhIiw5OTk5OTk5OTk5OV0", 400),
        ("templates?after=WyJcdTAwMDAiLDFd", 400), ("templates?after=WyJcdWQ4MDAiLDFd", 400),
        ("materials/1/settings?thickness_mm=-1", 422), ("materials/1/settings?thickness_mm=nan", 422),
        ("materials/1/settings?thickness_mm=0.001", 422), ("materials/1/settings?operation=melt", 422),
        ("materials/1/settings?machine_id=99999999999", 422), ("materials?search=%ED%A0%80", 200),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_for_is_told(api: Api, path: str, status: int) -> None:
    told = await api.stranger().get(f"/api/{path}")
    assert told.status_code == status, told.text
    assert status == 200 or told.json()["problem"]


@pytest.mark.parametrize(
    "path",
    ["templates", "templates/groups", "templates/2", "materials", "materials/families", "materials/2", "machines",
     "machines/1", "materials/2/settings"],
)  # fmt: skip
async def test_who_has_it_already_is_told_just_that(api: Api, path: str) -> None:
    client = api.stranger()
    first = await client.get(f"/api/{path}")
    assert first.headers["cache-control"] == "private, no-cache"
    again = await client.get(f"/api/{path}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
