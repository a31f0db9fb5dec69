"""Real files of every kind that is read, made by Pillow and vips."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import pytest
from PIL import Image

Make = Callable[[int, int], bytes]


@lru_cache(maxsize=16)
def photo(width: int, height: int) -> Image.Image:
    """Smooth areas, edges and noise, in colour."""
    edges = Image.effect_mandelbrot((max(8, width // 4), max(8, height // 4)), (-2, -1.5, 1, 1.5), 60)
    noise = Image.effect_noise((max(8, width // 3), max(8, height // 3)), 60)
    slope = Image.linear_gradient("L")
    channels = [layer.resize((width, height), Image.Resampling.BICUBIC) for layer in (edges, noise, slope)]
    return Image.merge("RGB", channels)


def see_through(width: int, height: int) -> Image.Image:
    image = photo(width, height).convert("RGBA")
    image.putalpha(Image.radial_gradient("L").resize((width, height)))
    return image


def exif(orientation: int) -> bytes:
    made = Image.Exif()
    made[0x0112] = orientation
    return made.tobytes()


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def by_vips(image: Image.Image, suffix: str, **options: Any) -> bytes:
    pixels = pytest.importorskip("pyvips").Image.new_from_memory(image.tobytes(), *image.size, 3, "uchar")
    found: bytes = pixels.copy(interpretation="srgb").write_to_buffer(suffix, **options)
    return found


def deep(width: int, height: int, mode: str) -> bytes:
    """PNG of 16 bits."""
    image = photo(width, height).convert(mode)
    pixels = pytest.importorskip("pyvips").Image.new_from_memory(image.tobytes(), *image.size, len(mode), "uchar")
    wide = (pixels.cast("ushort") * 257).cast("ushort").copy(interpretation="grey16" if mode == "L" else "rgb16")
    found: bytes = wide.write_to_buffer(".png")
    return found


def frames(kind: str) -> Make:
    def make(width: int, height: int) -> bytes:
        first = photo(width, height)
        return saved(first, kind, save_all=True, append_images=[first.rotate(90), first.rotate(180)])

    return make


PICTURES: dict[str, Make] = {
    "jpeg": lambda w, h: saved(photo(w, h), "JPEG", quality=90),
    "jpeg 4:4:4": lambda w, h: saved(photo(w, h), "JPEG", quality=90, subsampling=0),
    "jpeg progressive": lambda w, h: saved(photo(w, h), "JPEG", quality=90, progressive=True),
    "jpeg progressive 4:4:4": lambda w, h: saved(photo(w, h), "JPEG", quality=90, progressive=True, subsampling=0),
    "jpeg grey": lambda w, h: saved(photo(w, h).convert("L"), "JPEG"),
    "jpeg cmyk": lambda w, h: saved(photo(w, h).convert("CMYK"), "JPEG"),
    "jpeg turned": lambda w, h: saved(photo(w, h), "JPEG", exif=exif(6)),
    "png": lambda w, h: saved(photo(w, h), "PNG", compress_level=1),
    "png alpha": lambda w, h: saved(see_through(w, h), "PNG", compress_level=1),
    "png grey alpha": lambda w, h: saved(see_through(w, h).convert("LA"), "PNG", compress_level=1),
    "png palette": lambda w, h: saved(photo(w, h).quantize(64), "PNG"),
    "png palette alpha": lambda w, h: saved(photo(w, h).quantize(64), "PNG", transparency=3),
    "png 1 bit": lambda w, h: saved(photo(w, h).convert("1"), "PNG"),
    "png grey 16": lambda w, h: deep(w, h, "L"),
    "png 16": lambda w, h: deep(w, h, "RGB"),
    "png interlaced": lambda w, h: by_vips(photo(w, h), ".png", interlace=True, compression=1),
    "png turned": lambda w, h: saved(photo(w, h), "PNG", exif=exif(8)),
    "gif": lambda w, h: saved(photo(w, h).quantize(64), "GIF"),
    "gif alpha": lambda w, h: saved(photo(w, h).quantize(64), "GIF", transparency=3),
    "webp": lambda w, h: saved(photo(w, h), "WEBP", method=0),
    "webp alpha": lambda w, h: saved(see_through(w, h), "WEBP", method=0),
    "webp lossless": lambda w, h: saved(photo(w, h), "WEBP", lossless=True, method=0, quality=0),
    "webp turned": lambda w, h: saved(photo(w, h), "WEBP", method=0, exif=exif(3)),
    "tiff": lambda w, h: saved(photo(w, h), "TIFF"),
    "tiff deflate": lambda w, h: saved(photo(w, h), "TIFF", compression="tiff_adobe_deflate"),
    "tiff cmyk": lambda w, h: saved(photo(w, h).convert("CMYK"), "TIFF", compression="tiff_lzw"),
    "tiff 1 bit": lambda w, h: saved(photo(w, h).convert("1"), "TIFF", compression="group4"),
    "tiff palette": lambda w, h: saved(photo(w, h).quantize(64), "TIFF"),
    "tiff one strip": lambda w, h: saved(photo(w, h), "TIFF", strip_size=1 << 30, compression="tiff_lzw"),
    "tiff tiles": lambda w, h: by_vips(photo(w, h), ".tif", tile=True, compression="jpeg"),
    "tiff turned": lambda w, h: saved(photo(w, h), "TIFF", tiffinfo={0x0112: 5}),
}
"""One frame each."""
ANIMATED: dict[str, Make] = {
    "gif animated": frames("GIF"),
    "webp animated": frames("WEBP"),
    "png animated": frames("PNG"),
    "tiff pages": frames("TIFF"),
}


BY_BOTH = [
    (name, route)
    for name in PICTURES | ANIMATED
    for route in (("pillow",) if name.startswith(("jpeg", "gif")) else ("pillow", "vips"))
]
"""Which library decodes it; those of vips need the fixture `route`."""
BY_EACH = [(name, route) for name, route in BY_BOTH if name in PICTURES]


@cache
def made(name: str, width: int = 150, height: int = 100) -> bytes:
    return (PICTURES | ANIMATED)[name](width, height)
