"""Decoding with vips: in strips, from a sequential source, with one thread."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

from PIL import Image

from galvo_memory.images.decoded import Decoded
from galvo_memory.images.errors import CorruptImage
from galvo_memory.images.header import Header
from galvo_memory.images.plan import Plan
from galvo_memory.images.source import Stoppable

KNOWN = {"b-w": "L", "grey16": "L", "srgb": "RGB", "rgb": "RGB", "rgb16": "RGB", "cmyk": "CMYK"}
"""vips' interpretations, and Pillow's mode; other ones are converted to sRGB."""
GAP = 2.0
"""What is left for Lanczos, at least; as in vips' own thumbnail."""
MODES = {("L", True): "LA", ("RGB", True): "RGBA"}


@lru_cache(maxsize=1)
def _vips() -> Any:
    """Imported when first needed, 13 MiB. Results are not kept: the application's cache keeps them."""
    vips: Any = import_module("pyvips")  # an extra, without types
    vips.cache_set_max(0)
    return vips


def decode(file: Stoppable, header: Header, plan: Plan) -> Decoded:
    """Raises pyvips.Error, CorruptImage."""
    vips = _vips()
    source = vips.SourceCustom()
    source.on_read(file.read)
    source.on_seek(file.seek)
    size = plan.turned(header)
    scale = _scale(header, size)
    image = vips.Image.new_from_source(source, "", access="sequential", fail_on="error", **scale)
    if not scale and (image.width, image.height) != (header.width, header.height):
        raise CorruptImage(header.name, f"it has two sizes, {header.width} x {header.height} and another")
    image = image.copy()
    image.set_type(vips.GValue.gint_type, "vips-concurrency", 1)
    icc = image.get("icc-profile-data") if "icc-profile-data" in image.get_fields() else None
    return Decoded(_resized(image, size), icc)


def _scale(header: Header, size: tuple[int, int]) -> dict[str, float]:
    """libwebp averages while it decodes, to twice the size that is wanted."""
    factor = GAP * max(size[0] / header.width, size[1] / header.height)
    return {"scale": factor} if header.format == "WEBP" and factor <= 0.5 else {}


def _resized(image: Any, size: tuple[int, int]) -> Image.Image:
    mode = KNOWN.get(image.interpretation)
    if mode is None:
        image, mode = image.colourspace("srgb"), "RGB"
    alpha = image.hasalpha()
    depth = image.format
    if alpha:
        image = image.premultiply().cast(depth)
    image = image.resize(size[0] / image.width, vscale=size[1] / image.height, kernel="lanczos3", gap=GAP)
    if alpha:
        image = image.unpremultiply()
    if depth == "ushort":
        image = image / 257
    pixels = image.rint().cast("uchar") if image.format != "uchar" else image
    have = (pixels.width, pixels.height)
    found = Image.frombuffer(_mode(mode, alpha), have, pixels.write_to_memory(), "raw", _mode(mode, alpha), 0, 1)
    found = found.convert("RGBA") if found.mode == "LA" else found
    return found if have == size else found.resize(size, Image.Resampling.LANCZOS)


def _mode(mode: str, alpha: bool) -> str:
    return MODES.get((mode, alpha), mode)
