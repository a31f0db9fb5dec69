"""Projects: made, found, changed by their owner, and by nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from galvo_engraving.projects.models import Project
from tests.plugins.engraving.http.projects import BOX, METAL, PART, PLYWOOD, made, posted
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio
TEMPLATE = {"name": "Once", "template_group": "boxes", "difficulty": 1, "minutes": 1, "summary": ""}
MATERIAL = {"name": "Once", "family": "wood", "supplier": "somebody", "density": 1}
MACHINE = {"name": "Once", "watts": 10, "bed_width_mm": 300, "bed_height_mm": 200, "dots_per_mm": 8}


async def test_a_project_is_made_found_changed_and_deleted(api: Api) -> None:
    client = await api.customer()
    page = await made(client, name=" My box ", thickness_mm=3.004)
    path = f"/api/projects/{page['id']}"
    assert (await client.get(path)).json() == page
    assert (page["name"], page["thickness_mm"], page["revision"], page["status"]) == ("My box", 3, 1, "draft")
    assert page["user"] == {"name": "Somebody", "studio": "Somewhere"}
    told = await client.patch(path, json={"revision": 1, "name": "Ours", "status": "ready"})
    assert told.status_code == 200, told.text
    assert (told.json()["name"], told.json()["revision"], told.json()["status"]) == ("Ours", 2, "ready")
    assert (await client.get(path)).json() == told.json()
    [listed] = (await client.get("/api/projects")).json()["entries"]
    assert (listed["id"], listed["name"], listed["revision"]) == (page["id"], "Ours", 2)
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    assert (await client.get("/api/projects")).json() == {"entries": [], "next": None}


async def test_a_page_is_what_its_model_says(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    page = await made(client, parameters={"width": 200, "labels": False, "floor": "frame", "height": 60})
    path = f"/api/projects/{page['id']}"
    await posted(client, f"{path}/parts", PART | {"quantity": 3})
    await posted(client, f"{path}/parts", PART | {"operation": "engrave", "path_mm": 0.1})
    job = await posted(client, f"{path}/jobs", {"machine": "borealis"})
    for change in ({"status": "running"}, {"status": "done", "seconds": 12.3}):
        assert (await staff.patch(f"/api/jobs/{job['id']}", json=change)).status_code == 200
    page = (await client.get(path)).json()
    assert Project.model_validate(page, strict=False).model_dump(mode="json") == page
    values = {one["name"]: one["value"] for one in page["parameters"]}
    assert (values["width"], values["labels"], values["floor"], values["depth"]) == (200, False, "frame", 80)
    assert {one["name"]: one["minimum"] for one in page["parameters"]}["thickness"] == 0.4
    cut = page["cut"]
    assert page["cutting_seconds"] == round(3 * 500 / cut["speed_mm_s"] * cut["passes"], 1)
    assert page["jobs"][0]["seconds"] == 12.3
    stored = await api.shop.db.fetchval("select parameters from engraving.project where id = $1", page["id"])
    assert json.loads(stored) == {"width": 200, "labels": False, "floor": "frame"}  # what differs


async def test_who_has_the_page_is_told_so(api: Api) -> None:
    client = await api.customer()
    page = await made(client)
    path = f"/api/projects/{page['id']}"
    seen = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"if-none-match": seen})).status_code == 304
    await client.patch(path, json={"revision": 1, "name": "New"})
    assert (await client.get(path, headers={"if-none-match": seen})).status_code == 200


async def test_a_list_is_turned_over_searched_and_filtered(api: Api) -> None:
    client = await api.customer()
    names = [f"{'big' if number % 2 else 'small'} 100% {number}_" for number in range(7)]
    for name in names:
        await made(client, name=name)
    seen: list[str] = []
    after = ""
    while after is not None:
        told = (await client.get("/api/projects", params={"limit": 3, "after": after})).json()
        seen += [one["name"] for one in told["entries"]]
        after = told["next"]
    assert seen == names[::-1]
    for search, count in (("BIG", 3), ("100%", 7), ("%g", 0), ("3_", 1), ("_3", 0), ("\\", 0)):
        told = (await client.get("/api/projects", params={"search": search})).json()
        assert len(told["entries"]) == count, search
    first = (await client.get("/api/projects")).json()["entries"][0]
    await client.patch(f"/api/projects/{first['id']}", json={"revision": 1, "status": "done"})
    told = (await client.get("/api/projects", params={"status": "done"})).json()
    assert [one["id"] for one in told["entries"]] == [first["id"]]


@pytest.mark.parametrize("after", ["x", "W10", "WzFd", "WzEsLTFd", "WzEsMl0x", "WyIxIiwyXQ", "WzFlMzAsMV0", "é"])
async def test_what_no_page_gave_as_next_is_refused(api: Api, after: str) -> None:
    client = await api.customer()
    told = await client.get("/api/projects", params={"after": after})
    assert told.status_code == 400
    assert told.json()["problem"].startswith("after: this is not what")


async def test_of_two_changes_that_saw_the_same_one_is_told_of_the_other(api: Api) -> None:
    client = await api.customer()
    page = await made(client)
    path = f"/api/projects/{page['id']}"
    changes = [{"revision": 1, "name": "One"}, {"revision": 1, "name": "Two"}]
    told = await asyncio.gather(*(client.patch(path, json=change) for change in changes))
    assert sorted(one.status_code for one in told) == [200, 409]
    lost = next(one for one in told if one.status_code == 409)
    assert lost.json()["problem"].startswith("revision: the project was changed meanwhile, to 2")
    assert (await client.get(path)).json()["revision"] == 2


async def test_revisions_are_kept_and_restored(api: Api) -> None:
    client = await api.customer()
    page = await made(client, parameters={"width": 200})
    path = f"/api/projects/{page['id']}"
    change = {"revision": 1, "name": "Metal", "material_id": METAL, "thickness_mm": 1.5, "parameters": {"depth": 99}}
    assert (await client.patch(path, json=change)).status_code == 200
    [kept] = (await client.get(f"{path}/revisions")).json()["entries"]
    assert (kept["revision"], kept["name"], kept["material_id"]) == (1, "Box", PLYWOOD)
    assert (kept["thickness_mm"], kept["parameters"]) == (3, {"width": 200})
    told = await client.post(f"{path}/revisions/1/restore")
    assert told.status_code == 200, told.text
    changing = {"revision", "updated_at"}
    assert {k: v for k, v in told.json().items() if k not in changing} == {
        k: v for k, v in page.items() if k not in changing
    }
    assert told.json()["revision"] == 3
    again = await client.post(f"{path}/revisions/1/restore")  # it is so already
    assert again.json()["revision"] == 3
    first = (await client.get(f"{path}/revisions", params={"limit": 1})).json()
    second = (await client.get(f"{path}/revisions", params={"limit": 1, "after": first["next"]})).json()
    assert [one["revision"] for one in first["entries"] + second["entries"]] == [2, 1]
    assert second["next"] is None
    assert (await client.post(f"{path}/revisions/9/restore")).status_code == 404


async def test_what_was_used_once_is_deleted_and_the_state_that_used_it_is_not_restored(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    used = {"template": TEMPLATE, "material": MATERIAL, "machine": MACHINE}
    ids = {name: (await posted(staff, f"/api/{name}s", body))["id"] for name, body in used.items()}
    page = await made(client, **{f"{name}_id": id for name, id in ids.items()})
    path = f"/api/projects/{page['id']}"
    for name, id in ids.items():
        told = await staff.delete(f"/api/{name}s/{id}")
        assert told.status_code == 409
        assert told.json()["problem"].startswith(f"{name} {id} is used by projects: keep it, or")
    change = {"revision": 1, "template_id": 1, "material_id": PLYWOOD, "machine_id": 1}
    assert (await client.patch(path, json=change)).status_code == 200
    before = (await client.get(f"{path}/revisions")).json()["entries"][0]
    assert {before[f"{name}_id"] for name in ids} == set(ids.values())
    for name, id in ids.items():
        assert (await staff.delete(f"/api/{name}s/{id}")).status_code == 204
    after = (await client.get(f"{path}/revisions")).json()["entries"][0]
    assert after == before | {f"{name}_id": None for name in ids}
    told = await client.post(f"{path}/revisions/1/restore")
    assert told.status_code == 409
    assert told.json()["problem"].startswith("revision 1 cannot be restored")
    assert told.json()["problem"].endswith("this is deleted: template, material, machine")


async def test_what_changes_nothing_keeps_no_revision(api: Api) -> None:
    client = await api.customer()
    page = await made(client, parameters={"width": 200, "height": 61})
    path = f"/api/projects/{page['id']}"
    same = {"revision": 1, "name": "Box", "thickness_mm": 3, "parameters": {"height": 61.0, "width": "200"}}
    assert (await client.patch(path, json=same)).json() == page
    assert (await client.get(f"{path}/revisions")).json()["entries"] == []


async def test_with_another_template_the_values_are_its_own(api: Api) -> None:
    client = await api.customer()
    page = await made(client, parameters={"width": 200})
    told = await client.patch(f"/api/projects/{page['id']}", json={"revision": 1, "template_id": 2})
    assert told.status_code == 200, told.text
    assert {one["name"]: str(one["value"]) for one in told.json()["parameters"]}["width"] != "200"


async def test_names_are_taken_once_by_each_user(api: Api) -> None:
    client, other = await api.customer(), await api.customer()
    await made(client, name="Twice")
    page = await made(client, name="Once")
    await made(other, name="Twice")
    for told in (
        await client.post("/api/projects", json=BOX | {"name": "Twice "}),
        await client.patch(f"/api/projects/{page['id']}", json={"revision": 1, "name": "Twice"}),
    ):
        assert told.status_code == 409
        assert told.json()["problem"] == "name: you have another project of this name: take another one"
    assert (await client.get(f"/api/projects/{page['id']}")).json() == page


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"template_id": 2**31 - 1}, "template_id: there is no template"),
    ({"material_id": 2**31 - 1}, "material_id: there is none"),
    ({"machine_id": 2**31 - 1}, "machine_id: there is none"),
    ({"thickness_mm": 0.004}, "thickness_mm"),
    ({"thickness_mm": -3}, "thickness_mm"),
    ({"thickness_mm": 1e9}, "thickness_mm"),
    ({"template_id": 2**31}, "template_id"),
    ({"template_id": True}, "template_id"),
    ({"name": "a\x00b"}, "name"),
    ({"name": "a\x85b"}, "name"),
    ({"name": "a\ufffe"}, "name"),
    ({"name": "a\uffff"}, "name"),
    ({"name": "\ud800"}, "name"),
    ({"name": " "}, "name"),
    ({"parameters": {"wings": 2}}, "wings: the template has no such parameter"),
    ({"parameters": {"width": 19}}, "width: this must be from 20 to 900 mm"),
    ({"parameters": {"width": "wide"}}, "width: this must be a number"),
    ({"parameters": {"width": True}}, "width: this must be a number"),
    ({"parameters": {"width": 10**400}}, "width: this must be a number"),
    ({"parameters": {"width": "nan"}}, "width: this must be a number"),
    ({"parameters": {"labels": 1}}, "labels: this must be true or false"),
    ({"parameters": {"floor": "none"}}, "floor: this must be one of closed, frame, open"),
    ({"parameters": {"floor": True}}, "floor: this must be one of closed, frame, open"),
    ({"parameters": {"width": [1]}}, "parameters.width"),
    ({"parameters": {f"p{n}": 1 for n in range(201)}}, "parameters"),
    ({"colour": "red"}, "colour"),
]  # fmt: skip


@pytest.mark.parametrize("change, problem", UNFIT, ids=[f"{n}-{next(iter(one[0]))}" for n, one in enumerate(UNFIT)])
async def test_what_cannot_be_is_refused(api: Api, change: dict[str, Any], problem: str) -> None:
    client = await api.customer()
    refuse(await _sent(client, "POST", "/api/projects", BOX | change), problem)
    page = await made(client)
    told = await _sent(client, "PATCH", f"/api/projects/{page['id']}", {"revision": 1, **change})
    refuse(told, problem)
    assert (await client.get(f"/api/projects/{page['id']}")).json() == page


@pytest.mark.parametrize("text", ['{"thickness_mm": NaN}', '{"thickness_mm": 1e999}', "[]", "{", '"x"', ""])
async def test_what_is_no_project_is_refused(api: Api, text: str) -> None:
    client = await api.customer()
    for method, path in (("POST", "/api/projects"), ("PATCH", "/api/projects/1")):
        told = await client.request(method, path, content=text, headers={"content-type": "application/json"})
        assert told.status_code == 422, told.text
        assert told.json()["problem"]


ROUTES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/api/projects/{project}", None),
    ("PATCH", "/api/projects/{project}", {"revision": 2, "name": "Mine"}),
    ("DELETE", "/api/projects/{project}", None),
    ("GET", "/api/projects/{project}/revisions", None),
    ("POST", "/api/projects/{project}/revisions/1/restore", None),
    ("GET", "/api/projects/{project}/estimate", None),
    ("POST", "/api/projects/{project}/parts", PART),
    ("PATCH", "/api/parts/{part}", {"name": "Mine"}),
    ("DELETE", "/api/parts/{part}", None),
    ("POST", "/api/projects/{project}/jobs", {}),
    ("GET", "/api/jobs/{job}", None),
]  # fmt: skip


@pytest.mark.parametrize("method, path, body", ROUTES)
async def test_anothers_project_is_not_there(api: Api, method: str, path: str, body: dict[str, Any] | None) -> None:
    owner, other = await api.customer(), await api.customer()
    page = await made(owner)
    whole = f"/api/projects/{page['id']}"
    ids = {
        "project": page["id"],
        "part": (await posted(owner, f"{whole}/parts", PART))["id"],
        "job": (await posted(owner, f"{whole}/jobs", {}))["id"],
    }
    await owner.patch(whole, json={"revision": 1, "name": "Ours"})
    before = (await owner.get(whole)).json()
    hidden = await other.request(method, path.format(**ids), json=body)
    missing = await other.request(method, path.format(project=2**31 - 1, part=2**31 - 1, job=2**31 - 1), json=body)
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json() == missing.json()
    assert (await api.stranger().request(method, path.format(**ids), json=body)).status_code == 401
    assert (await owner.get(whole)).json() == before
    assert (await owner.request(method, path.format(**ids), json=body)).status_code < 300


async def test_nobody_lists_anothers_projects(api: Api) -> None:
    owner, other, staff = await api.customer(), await api.customer(), await api.staff()
    page = await made(owner, name="Hidden")
    for client in (other, staff):
        assert (await client.get("/api/projects", params={"search": "Hidden"})).json()["entries"] == []
    assert (await staff.get(f"/api/projects/{page['id']}")).status_code == 404


async def _sent(client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
    """As ASCII: httpx would refuse to encode half of a pair."""
    return await client.request(method, path, content=json.dumps(body), headers={"content-type": "application/json"})


def refuse(told: httpx.Response, problem: str) -> None:
    assert told.status_code == 422, told.text
    assert told.json()["problem"].startswith(problem), told.text
