"""Projects: made, found, changed by their owner."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from galvo_engraving.projects.models import Project
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio
BOX = {"name": "Box", "template_id": 1, "material_id": 1, "thickness_mm": 3}


async def made(client: httpx.AsyncClient, **change: Any) -> dict[str, Any]:
    told = await client.post("/api/projects", json=BOX | change)
    assert told.status_code == 201, told.text
    return dict(told.json())


async def test_a_project_is_made_found_changed_and_deleted(api: Api) -> None:
    client = await api.customer()
    page = await made(client, name=" My box ", thickness_mm=3.004)
    shown = await client.get(f"/api/projects/{page['id']}")
    assert shown.json() == page
    assert Project.model_validate(page).model_dump(mode="json") == page
    assert (page["name"], page["thickness_mm"], page["revision"], page["status"]) == ("My box", 3, 1, "draft")
    listed = (await client.get("/api/projects")).json()
    assert [one["id"] for one in listed["entries"]] == [page["id"]]
    told = await client.patch(f"/api/projects/{page['id']}", json={"revision": 1, "name": "Ours", "status": "ready"})
    assert told.status_code == 200, told.text
    assert (told.json()["name"], told.json()["revision"], told.json()["status"]) == ("Ours", 2, "ready")
    assert (await client.get(f"/api/projects/{page['id']}")).json() == told.json()
    assert (await client.get("/api/projects")).json()["entries"][0]["name"] == "Ours"
    assert (await client.delete(f"/api/projects/{page['id']}")).status_code == 204
    assert (await client.get(f"/api/projects/{page['id']}")).status_code == 404
    assert (await client.get("/api/projects")).json() == {"entries": [], "next": None}
