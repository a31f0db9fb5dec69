"""Projects for tests: what is sent to make one."""

from __future__ import annotations

from typing import Any

import httpx

from galvo_engraving import catalogue

PLYWOOD = next(number for number, one in enumerate(catalogue.materials(), 1) if one.slug == "birch-plywood")
"""Is cut, scored and engraved, in 3, 4, 6 and 9 mm."""
METAL = 1
"""Is not cut."""
BOX = {"name": "Box", "template_id": 1, "material_id": PLYWOOD, "thickness_mm": 3, "machine_id": 1}
PART = {"name": "front", "operation": "cut", "width_mm": 120, "height_mm": 60, "path_mm": 500}


async def made(client: httpx.AsyncClient, **change: Any) -> dict[str, Any]:
    """The page of a new project."""
    told = await client.post("/api/projects", json=BOX | change)
    assert told.status_code == 201, told.text
    return dict(told.json())


async def posted(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    told = await client.post(path, json=body)
    assert told.status_code == 201, told.text
    return dict(told.json())
