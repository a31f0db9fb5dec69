"""Thumbnails, kept by the contents that they were made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from galvo_engraving.bodies import tag
from galvo_engraving.jobs.engrave import limits
from galvo_engraving.pictures.checking import refused
from galvo_engraving.shop import Shop
from galvo_memory.images import ImageProblem, thumbnail

MEDIA_TYPE = "image/webp"
USUAL = 256
"""Pixels of the longer side."""
VERSION = 1


async def small(
    shop: Shop, digest: str, contents: Callable[[], Awaitable[bytes]], name: str, side: int = USUAL
) -> tuple[bytes, str]:
    """The body and its tag. Decoded in a child process: files come from strangers. Raises Problem."""

    async def make() -> list[Any]:
        body = await thumbnail(
            await contents(), width=side, height=side, format="webp", limits=limits(shop.settings), name=name,
            isolated=True,
        )  # fmt: skip
        return [body, tag(body)]

    try:
        body, etag = await shop.db.cached(f"picture:{VERSION}:{side}:{digest}", make, ttl=shop.settings.image_ttl)
    except ImageProblem as error:
        raise refused(error) from None
    return body, etag
