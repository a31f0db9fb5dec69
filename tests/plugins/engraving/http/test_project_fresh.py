"""A project's page shows what others have just written into the tables it joins."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.plugins.engraving.http.projects import BOX, PART, made, posted
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio


async def looked_at(client: httpx.AsyncClient, **change: Any) -> tuple[str, dict[str, Any]]:
    """The path of a project with a part, and its page, which was looked at twice."""
    path = f"/api/projects/{(await made(client, **change))['id']}"
    await posted(client, f"{path}/parts", PART)
    await client.get(path)
    return path, (await client.get(path)).json()


async def written(client: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    told = await client.request(method, path, json=body)
    assert told.status_code < 300, told.text


async def test_staff_tune_the_laser(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    path, page = await looked_at(client)
    speed = page["cut"]["speed_mm_s"]
    await written(staff, "PATCH", f"/api/settings/{page['cut']['id']}", {"speed_mm_s": speed * 2})
    after = (await client.get(path)).json()
    assert after["cut"]["speed_mm_s"] == pytest.approx(speed * 2)
    assert after["cutting_seconds"] == pytest.approx(page["cutting_seconds"] / 2, abs=0.1)
    assert (await client.get(f"{path}/estimate")).json()["seconds"] == after["cutting_seconds"]


async def test_a_nearer_thickness_is_added_and_taken_away(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    path, page = await looked_at(client, thickness_mm=7.6)
    assert page["cut"]["thickness_mm"] == 9
    setting = {"operation": "cut", "machine_id": 1, "speed_mm_s": 5, "power_pct": 80, "passes": 1, "air_assist": True}
    made = await posted(
        staff, f"/api/materials/{BOX['material_id']}/settings", setting | {"thickness_mm": 7.5, "kerf_mm": 0.2}
    )
    assert (await client.get(path)).json()["cut"]["id"] == made["id"]
    await written(staff, "DELETE", f"/api/settings/{made['id']}", None)
    assert (await client.get(path)).json() == page


async def test_a_setting_for_any_thickness_is_the_last_choice(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    setting = {"operation": "cut", "machine_id": 2, "speed_mm_s": 5, "power_pct": 80, "passes": 1, "air_assist": True}
    path, page = await looked_at(client, machine_id=2)
    assert page["cut"] is None
    whole = f"/api/materials/{BOX['material_id']}/settings"
    anything = await posted(staff, whole, setting | {"thickness_mm": None})
    assert (await client.get(path)).json()["cut"]["id"] == anything["id"]
    thick = await posted(staff, whole, setting | {"thickness_mm": 20})
    assert (await client.get(path)).json()["cut"]["id"] == thick["id"]


async def test_names_that_are_joined_change(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    path, page = await looked_at(client, template_id=3)
    await written(client, "PATCH", "/api/me", {"studio": "Elsewhere"})
    await written(staff, "PATCH", "/api/templates/3", {"name": "Another box"})
    await written(staff, "PATCH", f"/api/materials/{page['material']['id']}", {"name": "Another wood"})
    await written(staff, "PATCH", "/api/machines/1", {"name": "Another laser"})
    after = (await client.get(path)).json()
    shown = (after["user"]["studio"], after["template"]["name"], after["material"]["name"], after["machine"]["name"])
    assert shown == ("Elsewhere", "Another box", "Another wood", "Another laser")
    [listed] = (await client.get("/api/projects")).json()["entries"]
    assert (listed["template"], listed["material"]) == ("Another box", "Another wood")


async def test_a_template_asks_for_something_else(api: Api) -> None:
    """What was chosen before stays where it is possible still."""
    client, staff = await api.customer(), await api.staff()
    path, page = await looked_at(client, template_id=4, parameters={"width": 300, "depth": 200})
    width, depth, *_ = page["parameters"]
    assert (width["value"], depth["value"]) == (300, 200)
    asked = [{k: v for k, v in one.items() if k not in ("position", "value")} for one in (width, depth)]
    asked[0] |= {"maximum": 250}
    await written(staff, "PUT", "/api/templates/4/parameters", {"parameters": asked})
    after = (await client.get(path)).json()
    values = {one["name"]: (one["value"], one["maximum"]) for one in after["parameters"]}
    assert values == {"width": (float(width["default_value"]), 250), "depth": (200, depth["maximum"])}
    refused = await client.patch(path, json={"revision": 1, "parameters": {"width": 300}})
    assert refused.status_code == 422


async def test_what_projects_are_made_of_cannot_be_deleted(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    path, page = await looked_at(client)
    for where in ("templates/1", f"materials/{BOX['material_id']}", "machines/1"):
        assert (await staff.delete(f"/api/{where}")).status_code == 409
    assert (await client.get(path)).json()["revision"] == page["revision"]
