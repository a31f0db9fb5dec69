"""Pictures to send, and what comes of them."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
from PIL import Image

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "TIFF": "image/tiff", "GIF": "image/gif"}


def drawn(format: str = "PNG", size: tuple[int, int] = (60, 40), seed: int = 0, **options: Any) -> bytes:
    """Never the same for another seed."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.putpixel((0, 0), (seed // 256 % 256, seed % 256, 255))
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


async def sent(
    client: httpx.AsyncClient, contents: bytes, media_type: str = "image/png", name: str = "a picture"
) -> httpx.Response:
    headers = {"content-type": media_type}
    return await client.post("/api/images", params={"name": name}, content=contents, headers=headers)


async def kept(client: httpx.AsyncClient, contents: bytes, media_type: str = "image/png") -> Any:
    """The picture."""
    told = await sent(client, contents, media_type)
    assert told.status_code in (200, 201), told.text
    return told.json()


def sentence(told: httpx.Response, status: int) -> str:
    """The problem that is told."""
    assert told.status_code == status, told.text
    assert [*told.json()] == ["problem"]
    return str(told.json()["problem"])


async def ended(client: httpx.AsyncClient, raster: str) -> list[Any]:
    """All that is told of it, until its end."""
    told = await client.get(f"/api/rasters/{raster}/events")
    assert told.headers["content-type"].startswith("text/event-stream"), told.text
    return [json.loads(line.removeprefix("data: ")) for line in told.text.splitlines() if line.startswith("data: ")]
