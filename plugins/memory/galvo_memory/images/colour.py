"""Colours as browsers expect them of a file without a profile: sRGB, without alpha where the format has none."""

from __future__ import annotations

import io
from contextlib import suppress

from PIL import Image, ImageCms

BAND = 1 << 16
"""Pixels that are converted at once: littlecms keeps the interpreter's lock meanwhile."""


def to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """L stays L. A profile that cannot be used is ignored, as browsers do."""
    if icc:
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            image = _transformed(image, ImageCms.ImageCmsProfile(io.BytesIO(icc)))
    return image.convert("RGB") if image.mode == "CMYK" else image


def _transformed(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    if ImageCms.getProfileDescription(profile).startswith("sRGB"):
        return image
    colours = image.convert("RGB") if image.mode == "RGBA" else image
    transform = ImageCms.buildTransform(
        profile, ImageCms.createProfile("sRGB"), colours.mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    result = Image.new("RGB", colours.size)
    rows = max(1, BAND // colours.width)
    for top in range(0, colours.height, rows):
        band = colours.crop((0, top, colours.width, min(top + rows, colours.height)))
        if (done := ImageCms.applyTransform(band, transform)) is not None:
            result.paste(done, (0, top))
    if image.mode == "RGBA":
        result.putalpha(image.getchannel("A"))
    return result.convert("L") if image.mode == "L" else result


def opaque(image: Image.Image) -> Image.Image:
    """On white: paper, and what a laser does not burn."""
    if image.mode != "RGBA":
        return image
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page
