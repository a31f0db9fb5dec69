"""Decoding with Pillow: draft where there is one, BOX to about twice the size in bands, Lanczos for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from galvo_memory.images.decoded import Decoded
from galvo_memory.images.errors import CorruptImage, ImageTooLarge
from galvo_memory.images.header import Format, Header
from galvo_memory.images.plan import Plan
from galvo_memory.images.source import Stoppable

# Not Image.open: its limit of pixels is global and the application's; ours was checked.
OPENERS: dict[Format, Callable[[Any], Image.Image]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
}
CHECKED_BY_PILLOW = ("GIF", "TIFF")
"""Formats whose decoders there warn above the global limit, whoever opened the file."""
BAND = 1 << 18
"""Pixels that are converted at once; Pillow keeps the interpreter's lock meanwhile."""
GAP = 2
"""What is left for Lanczos, at least; Pillow's own `thumbnail` and vips leave as much."""
DRAFT_GAP = 1.8
"""The same for libjpeg's, which has powers of two only: 2 would cost four times the memory at 1.8 to 2."""
GREY = {"1", "L", "I;16", "I;16B", "I;16L", "I;16N"}


def decode(file: Stoppable, header: Header, plan: Plan) -> Decoded:
    """Raises whatever Pillow raises, CorruptImage, ImageTooLarge."""
    limit = Image.MAX_IMAGE_PIXELS
    if header.format in CHECKED_BY_PILLOW and limit is not None and header.pixels > limit:
        raise ImageTooLarge(header.name, header.width, header.height, limit)
    with OPENERS[header.format](file) as image:
        upright = header.format == "TIFF"  # Pillow turns these itself
        if image.size != (header.upright if upright else (header.width, header.height)):
            raise CorruptImage(header.name, f"it has two sizes, {header.width} x {header.height} and {image.size}")
        size = (plan.width, plan.height) if upright else plan.turned(header)
        least = (round(size[0] * DRAFT_GAP), round(size[1] * DRAFT_GAP))
        image.draft("L" if plan.grey and image.mode == "RGB" else None, least)
        icc = cast("bytes | None", image.info.get("icc_profile"))
        image.load()
        return Decoded(_resized(image, size, plan.grey), icc, upright)


def _resized(image: Image.Image, size: tuple[int, int], grey: bool) -> Image.Image:
    mode = _mode(image, grey)
    box = (0.0, 0.0, float(image.width), float(image.height))
    if image.mode != mode:
        across, down = (max(1, int(have / want / GAP)) for have, want in zip(image.size, size, strict=True))
        image = _reduced(image, mode, across, down)
        box = (0.0, 0.0, box[2] / across, box[3] / down)
    image = image.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=GAP)
    return image.convert("RGBA") if mode == "RGBa" else image


def _mode(image: Image.Image, grey: bool) -> str:
    """In which it can be resized: colours that are seen through must weigh less."""
    if image.has_transparency_data:
        return "RGBa"
    if image.mode in GREY or (grey and image.mode in ("RGB", "P")):
        return "L"
    return "CMYK" if image.mode == "CMYK" else "RGB"


def _reduced(image: Image.Image, mode: str, across: int, down: int) -> Image.Image:
    """Converted and made smaller by whole factors, band by band."""
    result = Image.new(mode, (-(-image.width // across), -(-image.height // down)))
    rows = max(1, BAND // image.width // down) * down
    for top in range(0, image.height, rows):
        band = _converted(image.crop((0, top, image.width, min(top + rows, image.height))), mode)
        result.paste(band.reduce((across, down)), (0, top // down))
    return result


def _converted(band: Image.Image, mode: str) -> Image.Image:
    if band.mode.startswith("I;16"):
        band = band.convert("I").point(lambda value: value * (1 / 257)).convert("L")  # else it is cut off at 255
    return band.convert("RGBA").convert(mode) if mode == "RGBa" and band.mode != "RGBA" else band.convert(mode)
