"""A customer's way through everything, with each set of plugins: what is missing makes it slower, nothing else."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.plugins.engraving.http import stand
from tests.plugins.engraving.http.stand import ALL, NONE, Api
from tests.thorough import THOROUGH

pytestmark = pytest.mark.anyio
SUBSETS = stand.SUBSETS
TEMPLATE, MATERIAL = "/api/templates/1", "/api/materials/1"


def body(told: httpx.Response, status: int = 200) -> Any:
    assert told.status_code == status, told.text
    return told.json()


async def test_the_right_plugins_run(api: Api, subset: str) -> None:
    if subset == NONE:
        assert api.shop.kernel is None
        return
    assert api.shop.kernel is not None
    running = {one["name"] for one in api.shop.kernel.plugins() if one["state"] == "active"}
    assert running == {"cache", "pool", "index", "memory", "monitor", "live"} - {subset}
    assert api.shop.toggles is not None


async def test_what_the_staff_changes_is_seen_at_once(api: Api) -> None:
    customer, staff = await api.customer(), await api.staff()
    assert body(await customer.get("/api/templates", params={"search": "box"}))["entries"]
    for path, changes in ((TEMPLATE, {"summary": "Another one."}), (MATERIAL, {"supplier": "Somebody else"})):
        for _ in range(3):
            first = await customer.get(path)
        assert first.status_code == 200
        unchanged = await customer.get(path, headers={"if-none-match": first.headers["etag"]})
        assert unchanged.status_code == 304
        body(await customer.patch(path, json=changes), 403)
        body(await staff.patch(path, json=changes))
        second = await customer.get(path, headers={"if-none-match": first.headers["etag"]})
        assert changes.items() <= body(second).items()


async def test_a_project(api: Api) -> None:
    customer, other = await api.customer(), await api.customer()
    asked = {"name": "A box", "template_id": 1, "material_id": 1, "thickness_mm": 3}
    made = body(await customer.post("/api/projects", json=asked), 201)
    page = f"/api/projects/{made['id']}"
    for _ in range(3):
        assert body(await customer.get(page))["name"] == "A box"
    body(await other.get(page), 404)
    changed = body(await customer.patch(page, json={"name": "Another box", "revision": made["revision"]}))
    assert changed["name"] == "Another box"
    assert body(await customer.get(page))["name"] == "Another box"
    body(await customer.patch(page, json={"name": "Late", "revision": made["revision"]}), 409)
    entries = body(await customer.get("/api/projects"))["entries"]
    assert [one["name"] for one in entries] == ["Another box"]
    assert len(body(await customer.get(f"{page}/revisions"))["entries"]) == 1
    assert (await customer.delete(page)).status_code == 204
    body(await customer.get(page), 404)


async def test_a_picture(api: Api) -> None:
    customer = await api.customer()
    file = io.BytesIO()
    Image.radial_gradient("L").save(file, "PNG")
    sent = {"content": file.getvalue(), "headers": {"content-type": "image/png"}}
    made = body(await customer.post("/api/images", params={"name": "A sun"}, **sent), 201)
    assert (made["width"], made["height"]) == (256, 256)
    path = f"/api/images/{made['id']}"
    assert (await customer.get(f"{path}/contents")).content == file.getvalue()
    told = await customer.post(f"{path}/rasters", json={"width_mm": 10, "dots_per_mm": 10})
    assert told.status_code in (200, 202), told.text
    raster = f"/api/rasters/{told.json()['id']}"
    async with customer.stream("GET", f"{raster}/events") as events:
        assert events.status_code == 200
        async for _ in events.aiter_lines():
            pass
    assert body(await customer.get(raster))["state"] == "done"
    dots = await customer.get(f"{raster}/dots.png")
    assert Image.open(io.BytesIO(dots.content)).size == (100, 100)
    again = body(await customer.post(f"{path}/rasters", json={"width_mm": 10, "dots_per_mm": 10}))
    assert (again["state"], again["cached"]) == ("done", True)


async def test_the_dashboard_is_the_staffs(api: Api, subset: str) -> None:
    client = await api.staff()
    client.base_url = httpx.URL("http://localhost")
    assert body(await client.get("/api/me"))["dashboard"] is (subset != NONE)  # the page shows a link to it
    assert body(await (await api.customer()).get("/api/me"))["dashboard"] is False
    if subset == NONE:
        assert "without galvo" in body(await client.get("/galvo"), 404)["problem"]
        return
    stranger = api.stranger()
    stranger.base_url = client.base_url
    body(await stranger.get("/galvo/view"), 401)
    told = await client.get("/galvo/view")
    assert told.status_code == (503 if subset == "monitor" else 200)
    assert (await client.get("/galvo/")).status_code == 200


async def test_it_is_healthy_and_says_what_it_can(api: Api) -> None:
    client = api.stranger()
    assert body(await client.get("/health")) == {"healthy": True}
    assert "/api/projects/{project}" in body(await client.get("/openapi.json"))["paths"]
    assert (await client.get("/")).status_code == 200


async def test_what_people_type_has_examples_that_a_person_could_have_typed(api: Api) -> None:
    schemas = body(await api.stranger().get("/openapi.json"))["components"]["schemas"]
    found = schemas["Registration"]["properties"]
    assert {name: bool(field.get("examples")) for name, field in found.items()} == dict.fromkeys(found, True)
    assert found["email"]["examples"] == ["ada@example.com"]
    assert schemas["NewProject"]["properties"]["name"]["examples"]


async def test_what_is_missing_can_be_switched_on_and_all_else_off(api: Api, subset: str) -> None:
    if api.shop.toggles is None:
        return
    client = await api.customer()
    if subset not in (ALL, "tasks"):
        await api.shop.toggles.enable(subset)
        body(await client.get(TEMPLATE))
    for name in ("cache", "pool", "index", "memory", "monitor") if subset == ALL or THOROUGH else ():
        await api.shop.toggles.disable(name)
        body(await client.get(TEMPLATE))
        await api.shop.toggles.enable(name)
        body(await client.get(TEMPLATE))
