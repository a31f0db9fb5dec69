"""How far two pictures are apart."""

from __future__ import annotations

import io
from math import inf, log10

from PIL import Image, ImageChops, ImageOps, ImageStat


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB, of both on white; above 35 nobody sees a difference."""
    one, other = on_white(one), on_white(other)
    assert one.size == other.size
    squares = sum(ImageStat.Stat(ImageChops.difference(one, other)).sum2) / (one.width * one.height * 3)
    return 10 * log10(255**2 / squares) if squares else inf


def on_white(image: Image.Image) -> Image.Image:
    page = Image.new("RGB", image.size, "white")
    page.paste(image.convert("RGB"), mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return page


def reference(data: bytes, width: int, height: int) -> Image.Image:
    """The whole picture, upright, with one Lanczos."""
    image: Image.Image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode in ("1", "P", "CMYK"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return image.resize((width, height), Image.Resampling.LANCZOS)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
