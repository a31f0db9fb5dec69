"""Bodies of imports: of a known type, and no longer than the settings allow."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from pydantic import BaseModel

from galvo_engraving.arriving import pieces
from galvo_engraving.problems import WrongType
from galvo_engraving.shop import shop

JSON = "application/json"
LARGEST = 1 << 28
"""Bytes, whatever the settings say."""


async def contents(request: Request, *types: str) -> bytes:
    """Raises WrongType, TooLarge, Problem."""
    told = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if told not in types:
        raise WrongType(f"Content-Type {told[:100]!r} is not read here: send {' or '.join(types)}")
    return await bounded(request)


async def bounded(request: Request) -> bytes:
    """Raises TooLarge, as soon as it is; Problem when it does not come whole."""
    most = shop(request).settings.file_bytes
    too_large = f"the file is longer than {most} bytes: divide it"
    return b"".join([piece async for piece in pieces(request, most, too_large)])


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads its JSON itself. Its schema is whole: no other route has its parts."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def whole(found: Any) -> Any:
        if isinstance(found, list):
            return [whole(one) for one in found]
        if not isinstance(found, dict):
            return found
        if "$ref" in found:
            return whole(parts[found["$ref"].rpartition("/")[2]])
        return {key: whole(value) for key, value in found.items()}

    return {"requestBody": {"required": True, "content": {JSON: {"schema": whole(schema)}}}}
