"""From a customer's picture to the dots that the laser burns."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from pathlib import Path
from typing import Any

from galvo import Facade, GalvoError
from galvo_engraving.jobs.dither import dithered
from galvo_engraving.jobs.wanted import Dither, Wanted
from galvo_memory import images
from galvo_tasks.running import worker_kernel


class BadPicture(GalvoError):
    """It is neither a file nor base64."""


async def raster(
    *,
    path: str = "",
    contents: str = "",
    width_mm: float,
    height_mm: float | None = None,
    dots_per_mm: float = 10.0,
    gamma: float = 1.0,
    dither: Dither = "floyd-steinberg",
) -> dict[str, Any]:
    """The task: `path` of a file, or its `contents` as base64. Gives what `rastered` does, without the dots.

    Raises BadPicture, ImageProblem, ValueError.
    """
    source = await asyncio.to_thread(_read, path, contents)
    wanted = Wanted(width_mm, height_mm, dots_per_mm, gamma, dither)
    made = await rastered(worker_kernel(), source, wanted, name=path)
    return {name: value for name, value in made.items() if name != "png"}


async def rastered(
    kernel: Facade, source: bytes, wanted: Wanted, *, name: str = "", ttl: float | None = None
) -> dict[str, Any]:
    """What `engraved` gives and its key, kept by this process's cache for `ttl` seconds: the second time is free."""
    key = wanted.key(await digest_of(source))

    async def make() -> dict[str, Any]:
        return {**await engraved(source, wanted, name=name), "key": key}

    return await kernel.cached(key, make, ttl=ttl, shared=True)


async def engraved(
    source: bytes, wanted: Wanted, *, name: str = "", limits: images.Limits = images.LIMITS, isolated: bool = False
) -> dict[str, Any]:
    """width, height (dots), burned (of them), and png: one bit a dot, black is burned.

    `isolated`: it is decoded in a child process. Raises ImageProblem, ValueError.
    """
    grey = await images.raster(
        source, width_mm=wanted.width_mm, height_mm=wanted.height_mm, dots_per_mm=wanted.dots_per_mm, limits=limits,
        name=name or "the picture", isolated=isolated,
    )  # fmt: skip
    return await asyncio.to_thread(dithered, grey, wanted.dither, wanted.gamma)


async def digest_of(source: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return await asyncio.to_thread(lambda: hashlib.sha256(source).hexdigest())


def _read(path: str, contents: str) -> bytes:
    if bool(path) == bool(contents):
        raise BadPicture("a raster is made from either path or contents")
    try:
        return Path(path).read_bytes() if path else base64.b64decode(contents, validate=True)
    except OSError as error:
        raise BadPicture(f"{path} cannot be read: {error.strerror}") from None
    except binascii.Error as error:
        raise BadPicture(f"contents is not base64: {error}") from None
