"""Decoding with vips: in strips, from a sequential source, with one thread."""

from __future__ import annotations

from typing import Any

from PIL import Image

from galvo_memory.images.decoded import Decoded
from galvo_memory.images.errors import CorruptImage
from galvo_memory.images.header import Header
from galvo_memory.images.plan import Plan
from galvo_memory.images.source import Stoppable
from galvo_memory.images.vips import vips

KNOWN = {"b-w": "L", "grey16": "L", "srgb": "RGB", "rgb": "RGB", "rgb16": "RGB", "cmyk": "CMYK"}
"""vips' interpretations, and Pillow's mode; other ones are converted to sRGB."""
GAP = 2.0
"""What is left for Lanczos, at least; as in vips' own thumbnail."""
MODES = {("L", True): "LA", ("RGB", True): "RGBA"}


def decode(file: Stoppable, header: Header, plan: Plan) -> Decoded:
    """Raises pyvips.Error, CorruptImage."""
    library = vips()
    source = library.SourceCustom()
    source.on_read(file.read)
    source.on_seek(file.seek)
    size = plan.turned(header)
    scale = _scale(header, size)
    image = library.Image.new_from_source(source, "", access="sequential", fail_on="error", **scale)
    if not scale and (image.width, image.height) != (header.width, header.height):
        raise CorruptImage(header.name, f"it has two sizes, {header.width} x {header.height} and another")
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
    image = _smaller(image, size)
    if alpha:
        image = image.unpremultiply()
    if depth == "ushort":
        image = image / 257
    pixels = image.rint().cast("uchar") if image.format != "uchar" else image
    found = Image.frombuffer(_mode(mode, alpha), size, pixels.write_to_memory(), "raw", _mode(mode, alpha), 0, 1)
    return found.convert("RGBA") if found.mode == "LA" else found


def _smaller(image: Any, size: tuple[int, int]) -> Any:
    """Across before down, unlike vips' `resize`, so that the rows it keeps are short: half of the memory."""
    width, height = image.width, image.height
    if size[0] > width or size[1] > height:
        return image.resize(size[0] / width, vscale=size[1] / height, kernel="lanczos3")
    across, down = max(1, int(width / size[0] / GAP)), max(1, int(height / size[1] / GAP))
    image = image.shrinkh(across, ceil=True).shrinkv(down, ceil=True)
    wide, high = width / across / size[0], height / down / size[1]
    image = image.reduceh(wide, kernel="lanczos3").reducev(high, kernel="lanczos3")
    return image.crop(0, 0, *size)  # one pixel more, where a side was no multiple


def _mode(mode: str, alpha: bool) -> str:
    return MODES.get((mode, alpha), mode)
