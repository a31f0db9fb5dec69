"""What tests of LightBurn's libraries have in common."""

from __future__ import annotations

from typing import Any

import httpx

from tests.plugins.engraving.http.stand import Api

XML = {"content-type": "application/xml"}


async def send(client: httpx.AsyncClient, text: str, machine: int = 1, **more: Any) -> httpx.Response:
    params = {"machine_id": machine, **more}
    return await client.post("/api/materials/import", params=params, content=text.encode(), headers=XML)


async def settings(api: Api, name: str, machine: int) -> list[tuple[Any, ...]]:
    rows = await api.shop.db.fetch(
        "select s.thickness_mm, s.operation, s.speed_mm_s, s.passes from engraving.laser_setting s "
        "join engraving.material m on m.id = s.material_id where m.name = $1 and s.machine_id = $2 order by s.id",
        *(name, machine),
    )
    return [(str(row[0]), row[1], row[2], row[3]) for row in rows]


async def materials(api: Api) -> int:
    found: int = await api.shop.db.fetchval("select count(*) from engraving.material")
    return found
