"""What a thumbnail looks like: as the whole picture resized by Lanczos, upright, in sRGB, without metadata."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from PIL import Image, ImageCms

from galvo_memory.budgets import Admission
from galvo_memory.images import CorruptImage, Limits, Raster, by_pillow, raster, thumbnail, work
from galvo_memory.images.estimate import drafted
from galvo_memory.images.plan import Plan
from galvo_memory.images.source import Stoppable
from tests.plugins.memory.images.compare import opened, psnr, reference
from tests.plugins.memory.images.pictures import BY_EACH, exif, made, photo, saved, see_through

pytestmark = pytest.mark.anyio
SIZE = (420, 280)


@pytest.mark.parametrize("name, route", BY_EACH, indirect=["route"])
async def test_it_is_like_one_lanczos(name: str, route: str) -> None:
    """37 dB and more: `Image.thumbnail` and vips' own reach no more. Dither is all edges."""
    data = made(name, *SIZE)
    for width in (40, 133, 290):
        small = opened(await thumbnail(data, width=width, format="png"))
        assert small.mode in ("L", "RGB", "RGBA")
        assert psnr(small, reference(data, *small.size)) > (25 if "1 bit" in name else 37)


@pytest.mark.parametrize("name, route", BY_EACH, indirect=["route"])
async def test_it_is_not_enlarged_and_fits_the_box(name: str, route: str) -> None:
    across, down = (SIZE[1], SIZE[0]) if "turned" in name and name != "webp turned" else SIZE
    for box in ((1000, 50), (30, 1000), (1, 1)):
        small = opened(await thumbnail(made(name, *SIZE), width=box[0], height=box[1]))
        scale = min(box[0] / across, box[1] / down, 1)
        assert small.size == (max(1, round(across * scale)), max(1, round(down * scale)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
async def test_all_ways_to_hold_a_camera(kind: str, orientation: int, route: str) -> None:
    options = {"tiffinfo": {0x0112: orientation}} if kind == "TIFF" else {"exif": exif(orientation)}
    data = saved(photo(160, 120), kind, **options)
    small = await thumbnail(data, width=60, format="png")
    image = opened(small)
    assert image.size == ((60, 45) if orientation < 5 else (60, 80))
    assert psnr(image, reference(data, *image.size)) > 35
    assert not image.getexif()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
async def test_colours_are_srgb(kind: str, route: str) -> None:
    """A file in another space looks as it did, and has no profile any more."""
    swapped = _swapped(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data = saved(Image.new("RGB", (50, 50), (200, 30, 60)), kind, icc_profile=swapped)
    image = opened(await thumbnail(data, width=10, format="png"))
    assert "icc_profile" not in image.info
    colour = image.convert("RGB").getpixel((5, 5))
    assert isinstance(colour, tuple)
    assert colour[2] > 190 > 100 > colour[0], "red and blue are exchanged by this profile"


def _swapped(profile: bytes) -> bytes:
    """sRGB whose red primary is blue's, and the other way round."""
    data = bytearray(profile)
    count = int.from_bytes(data[128:132], "big")
    for entry in range(132, 132 + 12 * count, 12):
        tag = bytes(data[entry : entry + 4])
        data[entry : entry + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ", b"desc": b"desX"}.get(tag, tag)
    return bytes(data)


async def test_a_broken_profile_is_ignored(route: str) -> None:
    data = saved(photo(60, 40), "JPEG", icc_profile=b"nonsense" * 20)
    assert psnr(opened(await thumbnail(data, width=20, format="png")), reference(data, 20, 13)) > 35


async def test_transparency(route: str) -> None:
    """Kept where the format has it, else on white; what cannot be seen has no influence."""
    image = Image.new("RGBA", (80, 80), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (40, 0, 80, 80))
    data = saved(image, "PNG")
    for output in ("png", "webp"):
        small = opened(await thumbnail(data, width=20, format=output))  # type: ignore[arg-type]
        assert small.mode == "RGBA"
        assert small.getpixel((2, 10))[3] == 0  # type: ignore[index]
    flat = opened(await thumbnail(data, width=20, format="jpeg", quality=100))
    assert min(flat.getpixel((2, 10))) > 240  # type: ignore[type-var,arg-type]
    kept = opened(await thumbnail(data, width=20, format="png"))
    assert max(pixel[0] for pixel in kept.get_flattened_data() if pixel[3] > 0) < 16, "red came through"


@pytest.mark.parametrize("name", ["jpeg", "png alpha", "webp", "gif"])
@pytest.mark.parametrize("output", ["jpeg", "png", "webp"])
async def test_the_same_bytes_each_time(name: str, output: str, route: str) -> None:
    found = {await thumbnail(made(name), width=90, format=output) for _ in range(3)}  # type: ignore[arg-type]
    assert len(found) == 1


async def test_sources(tmp_path: Path, route: str) -> None:
    data = made("png")
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    expected = await thumbnail(data, width=50)
    assert await thumbnail(path, width=50) == await thumbnail(str(path), width=50) == expected
    assert await thumbnail(bytearray(data), width=50) == await thumbnail(memoryview(data), width=50) == expected
    async with await anyio.open_file(path, "rb") as file:
        assert await thumbnail(file, width=50) == expected
    async with await anyio.open_file(path, "rb") as file:
        with pytest.raises(Exception, match="are more than the limit of 1000 B"):
            await thumbnail(file, width=50, limits=Limits(size=1000))
    assert os.listdir(tmp_path) == ["photo.png"]


async def test_raster(route: str) -> None:
    """Exactly so many dots, grey, and white where nothing is to be burned."""
    for name in ("jpeg", "png grey 16", "png palette alpha", "tiff cmyk", "gif"):
        found = await raster(made(name, 120, 80), width_mm=5, height_mm=7, dots_per_mm=10)
        assert isinstance(found, Raster)
        assert (found.width, found.height, len(found.pixels)) == (50, 70, 3500)
    found = await raster(saved(see_through(40, 40), "PNG"), width_mm=8, dots_per_mm=10)
    assert (found.width, found.height) == (80, 80)
    assert found.pixels[80 * 40 + 40] > 245
    grey = reference(made("jpeg", *SIZE), 100, 67).convert("L")
    dots = await raster(made("jpeg", *SIZE), width_mm=10, dots_per_mm=10)
    assert psnr(Image.frombytes("L", (100, 67), dots.pixels), grey) > 35


async def test_a_raster_is_limited_too() -> None:
    with pytest.raises(Exception, match=r"the raster of image: 100,000 x 66,667 pixels are more than the limit"):
        await raster(made("png"), width_mm=1000, dots_per_mm=100)
    with pytest.raises(ValueError, match="dots_per_mm must be positive"):
        await raster(made("png"), width_mm=10, dots_per_mm=0)


def test_a_jpeg_is_drafted_as_estimated() -> None:
    data = made("jpeg", 801, 603)
    for width in (20, 50, 60, 90, 111, 200, 222, 223, 300, 445, 446, 801):
        image = by_pillow.OPENERS["JPEG"](io.BytesIO(data))
        size = (width, round(width * 603 / 801))
        with Image.open(io.BytesIO(data)) as known:
            header = work._inspect(work.Picture("", data), Limits())
            assert known.size == (header.width, header.height)
        image.draft(None, (round(size[0] * by_pillow.DRAFT_GAP), round(size[1] * by_pillow.DRAFT_GAP)))
        assert image.size == drafted(header, Plan(*size, "pillow"))


async def test_one_at_a_time_if_the_budget_has_room_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, loops = 0, 0, set()
    original = work.render

    def counted(*given: object) -> Image.Image:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        loops.add(threading.get_ident())
        try:
            return original(*given)  # type: ignore[arg-type]
        finally:
            inside -= 1

    monkeypatch.setattr(work, "render", counted)
    sizes: list[int] = []
    estimate = work.estimate
    monkeypatch.setattr(work, "estimate", lambda *given: sizes.append(estimate(*given)) or sizes[-1])
    await thumbnail(made("jpeg"), width=50)
    admission = Admission(sizes[0])
    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(lambda: thumbnail(made("jpeg"), width=50, admission=admission))
    assert most == 1
    assert admission.held == 0
    assert threading.get_ident() not in loops, "it was decoded in the event loop's thread"


async def test_cancelled_it_stops_reading_and_gives_everything_back(
    route: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The decoder gets no more bytes; the budget is free only when the thread has ended."""
    path = tmp_path / "photo.png"
    path.write_bytes(made("png", 500, 400))
    reading, go = threading.Event(), threading.Event()
    read = Stoppable.read
    left = []

    def slow(self: Stoppable, size: int = -1) -> bytes:
        reading.set()
        assert go.wait(30)
        left.append(read(self, size))
        return left[-1]

    monkeypatch.setattr(Stoppable, "read", slow)
    admission = Admission(1 << 30)
    held = []
    async with anyio.create_task_group() as group:

        async def work_on() -> None:
            try:
                await thumbnail(path, width=50, admission=admission)
            finally:
                held.append(admission.held)

        group.start_soon(work_on)
        await anyio.to_thread.run_sync(reading.wait)
        group.cancel_scope.cancel()
        threading.Timer(0.1, go.set).start()
    assert left
    assert not any(left), "it went on reading"
    assert held == [0]
    assert os.listdir(tmp_path) == ["photo.png"]
    assert str(path) not in open_files()


def open_files() -> set[str]:
    return {os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")}


async def test_a_file_that_changes_while_it_waits(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(made("png", 30, 20))
    admission = Admission(1 << 30)
    hold, errors = anyio.Event(), list[BaseException]()

    async def work_on() -> None:
        await hold.wait()
        try:
            await thumbnail(path, width=10, admission=admission)
        except CorruptImage as error:
            errors.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(work_on)  # before the hold: else it would get its share out of that
        async with admission.hold(1 << 30):
            hold.set()
            while not admission.waiting:
                await anyio.lowlevel.checkpoint()
            path.write_bytes(made("png", 40, 30))
    assert "was changed while it waited" in str(errors[0])
