"""Answers that are kept as they are sent: JSON that was encoded once, with a tag by which a client asks for news."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b
from typing import Any

import msgspec
from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from galvo_engraving.database import Database

JSON = "application/json"
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "As the client has it already (if-none-match)."}}
"""For `responses=` of a route."""
PRIVATE = "private, no-cache"
"""Browsers may keep it, and must ask whether it is still so: nobody is shown what was edited meanwhile."""


async def kept(
    request: Request,
    db: Database,
    key: str,
    load: Callable[[], Awaitable[BaseModel]],
    *,
    depends_on: Iterable[str],
) -> Response:
    """What `load` makes, from the cache as long as none of the tables it `depends_on` was written."""
    body, etag = await encoded(db, key, load, depends_on=depends_on)
    return answer(request, body, etag)


async def encoded(
    db: Database, key: str, load: Callable[[], Awaitable[BaseModel]], *, depends_on: Iterable[str]
) -> list[Any]:
    """The same, and its tag, before anybody asks."""

    async def make() -> list[Any]:
        body = (await load()).model_dump_json().encode()
        return [body, tag(body)]

    return await db.cached(key, make, depends_on=depends_on)


def tag(body: bytes) -> str:
    """A strong ETag."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def answer(request: Request, body: bytes, etag: str, media_type: str = JSON) -> Response:
    """304 for who has it already."""
    headers = {"etag": etag, "cache-control": PRIVATE}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def key_of(kind: str, *values: str | int | None) -> str:
    """Another one for other values, whatever is in them."""
    return f"{kind}:{msgspec.json.encode(values).decode()}"
