"""Thumbnails: upright, in sRGB, without metadata, never enlarged. The same input gives the same bytes."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import get_args

from galvo_memory.budgets import Admission
from galvo_memory.images.limits import LIMITS, Limits
from galvo_memory.images.plan import Output, Plan, fit, route
from galvo_memory.images.render import encode
from galvo_memory.images.source import Source
from galvo_memory.images.threads import in_thread
from galvo_memory.images.work import made

VERSION = 1
"""Of what the pixels look like; a cached thumbnail of another version is not found."""


async def thumbnail(
    source: Source,
    *,
    width: int,
    height: int | None = None,
    format: Output = "jpeg",
    quality: int = 80,
    limits: Limits = LIMITS,
    admission: Admission | None = None,
    name: str = "",
    isolated: bool = False,
) -> bytes:
    """The image in `format`, within `width` x `height` pixels; without `height`, as high as it gets.

    Waits until `admission`, by default the process's budget, has room to decode it. `name` is what errors call it.
    `isolated`: in a child process with a hard limit, for files of strangers; its budget is always the process's.
    Raises ImageProblem, OSError, ValueError and TypeError for arguments that mean nothing.
    """
    _check(width, height, format, quality)

    return await made(
        source,
        lambda header: Plan(*fit(header, width, height), route(header), format),
        partial(encode, output=format, quality=quality),
        limits,
        admission,
        name,
        isolated,
    )


async def thumbnail_key(
    contents: bytes, *, width: int, height: int | None = None, format: Output = "jpeg", quality: int = 80
) -> str:
    """Under which `kernel.cached` may keep it: the same contents and settings have the same thumbnail."""
    _check(width, height, format, quality)
    digest = await in_thread(lambda _: hashlib.sha256(contents).hexdigest())
    return f"thumbnail:{VERSION}:{width}x{height or ''}:{format}:{quality}:{digest}"


def _check(width: int, height: int | None, output: str, quality: int) -> None:
    if width < 1 or (height is not None and height < 1):
        raise ValueError(f"a thumbnail of {width} x {height} pixels shows nothing: width and height must be positive")
    if output not in get_args(Output):
        raise ValueError(f"format must be one of {', '.join(get_args(Output))}, not {output!r}")
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must be between 1 and 100, not {quality}")
