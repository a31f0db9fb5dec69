"""What our headers say, against what Pillow says, for every kind of file."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageCms

from galvo_memory.images import Limits, inspect
from tests.plugins.memory.images.pictures import ANIMATED, PICTURES, exif, made, photo, saved

pytestmark = pytest.mark.anyio
MANY = Limits(frames=10)
SIZES = ((150, 100), (1, 1), (7, 113), (256, 3))


@pytest.mark.parametrize("name", PICTURES | ANIMATED)
async def test_it_is_as_pillow_sees_it(name: str) -> None:
    for width, height in SIZES if name in PICTURES else SIZES[:1]:
        data = made(name, width, height)
        header = await inspect(data, limits=MANY)
        with Image.open(io.BytesIO(data)) as image:
            assert header.format == image.format
            assert image.size == (header.upright if name == "tiff turned" else (header.width, header.height))
            assert header.frames == getattr(image, "n_frames", 1)
            assert header.orientation == image.getexif().get(0x0112, 1)
            assert header.icc == ("icc_profile" in image.info)
            assert header.palette == (image.mode == "P")
            assert header.alpha or not image.has_transparency_data
            assert header.palette or header.bits == (1 if image.mode == "1" else 16 if "16" in name else 8)
            assert header.channels == (1 if header.bits == 16 and image.mode != "RGB" else len(image.getbands()))
            rows = image.info.get("progressive") or image.info.get("interlace") or name == "webp lossless"
            assert header.whole == bool(rows) or header.format == "GIF"
            assert header.size == len(data)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_orientation(kind: str, orientation: int) -> None:
    assert (await inspect(saved(photo(20, 10), kind, exif=exif(orientation)))).orientation == orientation


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
async def test_profiles(kind: str) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (await inspect(saved(photo(20, 10), kind, icc_profile=icc))).icc


async def test_scans_and_frames_are_counted() -> None:
    assert (await inspect(made("jpeg progressive"))).scans == 10
    for name in ANIMATED:
        assert (await inspect(made(name), limits=MANY)).frames == 3
