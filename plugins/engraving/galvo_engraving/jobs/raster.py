"""From a customer's picture to the dots that the laser burns."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
from pathlib import Path
from typing import Any

from PIL import Image

from galvo import GalvoError
from galvo.facade import Facade
from galvo_memory import images
from galvo_tasks.jobs import progress
from galvo_tasks.running import worker_kernel

VERSION = 1
"""Of what the dots look like; kept rasters of another version are not found."""
BAND = 64
"""Lines that are made at once, between two tellings of progress."""
LEAD = 16
"""Lines before a band that are dithered with it and thrown away, so that no seam shows."""


class BadPicture(GalvoError):
    """It is neither a file nor base64."""


async def raster(
    *, path: str = "", contents: str = "", width_mm: float, height_mm: float | None = None, dots_per_mm: float = 10.0
) -> dict[str, Any]:
    """The task: `path` of a file, or its `contents` as base64. Gives what `rastered` does, without the dots.

    Raises BadPicture, ImageProblem, ValueError.
    """
    source = await asyncio.to_thread(_read, path, contents)
    made = await rastered(
        worker_kernel(), source, width_mm=width_mm, height_mm=height_mm, dots_per_mm=dots_per_mm, name=path
    )
    return {name: value for name, value in made.items() if name != "png"}


async def rastered(
    kernel: Facade,
    source: bytes,
    *,
    width_mm: float,
    height_mm: float | None = None,
    dots_per_mm: float = 10.0,
    name: str = "",
) -> dict[str, Any]:
    """width, height (dots), burned (of them), key, and png: one bit a dot, black is burned.

    Kept by the cache under the picture's hash: where the task has been, a web process has it without decoding.
    """
    digest = await asyncio.to_thread(lambda: hashlib.sha256(source).hexdigest())
    key = f"raster:{VERSION}:{width_mm:g}x{height_mm or 0:g}:{dots_per_mm:g}:{digest}"

    async def make() -> dict[str, Any]:
        grey = await images.raster(
            source, width_mm=width_mm, height_mm=height_mm, dots_per_mm=dots_per_mm, name=name or "the picture"
        )
        return {**await asyncio.to_thread(_dithered, grey), "key": key}

    return await kernel.cached(key, make, shared=True)


def _dithered(grey: images.Raster) -> dict[str, Any]:
    """Floyd-Steinberg, band by band."""
    whole = Image.frombytes("L", (grey.width, grey.height), grey.pixels)
    dots = Image.new("1", whole.size)
    burned = 0
    for top in range(0, grey.height, BAND):
        progress(top, grey.height, "lines")
        bottom, lead = min(top + BAND, grey.height), min(LEAD, top)
        band = whole.crop((0, top - lead, grey.width, bottom)).convert("1")
        band = band.crop((0, lead, grey.width, lead + bottom - top))
        burned += band.histogram()[0]
        dots.paste(band, (0, top))
    progress(grey.height, grey.height, "lines")
    file = io.BytesIO()
    dots.save(file, "PNG")
    return {"width": grey.width, "height": grey.height, "burned": burned, "png": file.getvalue()}


def _read(path: str, contents: str) -> bytes:
    if bool(path) == bool(contents):
        raise BadPicture("a raster is made from either path or contents")
    try:
        return Path(path).read_bytes() if path else base64.b64decode(contents, validate=True)
    except OSError as error:
        raise BadPicture(f"{path} cannot be read: {error.strerror}") from None
    except binascii.Error as error:
        raise BadPicture(f"contents is not base64: {error}") from None
