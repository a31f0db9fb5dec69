"""People who look at pages again and again, and others who edit them."""

from __future__ import annotations

from typing import Any

import httpx

Edit = tuple[str, str, dict[str, Any] | None]


async def looked_at(client: httpx.AsyncClient, paths: list[str]) -> dict[str, tuple[str, str]]:
    """Each one's text and tag, as a browser asks that had it before."""
    found = {}
    for path in paths:
        told = await client.get(f"/api/{path}")
        assert told.status_code == 200, told.text
        again = await client.get(f"/api/{path}", headers={"if-none-match": told.headers["etag"]})
        assert again.status_code == 304
        found[path] = (told.text, told.headers["etag"])
    return found


async def edited(staff: httpx.AsyncClient, edit: Edit) -> None:
    method, path, body = edit
    told = await staff.request(method, f"/api/{path}", json=body)
    assert told.status_code in (200, 201, 204), told.text


async def assert_news(reader: httpx.AsyncClient, before: dict[str, tuple[str, str]]) -> None:
    for path, (text, tag) in before.items():
        told = await reader.get(f"/api/{path}", headers={"if-none-match": tag})
        assert told.status_code == 200, path
        assert told.text != text
        assert told.headers["etag"] != tag
