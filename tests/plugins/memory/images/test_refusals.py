"""What must not be decoded, is not: a typed exception names the file and the number."""

from __future__ import annotations

import io
import os
import struct
import threading
import time
import zlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from PIL import Image

from galvo_memory.budgets import Admission
from galvo_memory.images import (
    CorruptImage,
    EmptyImage,
    ImageBomb,
    ImageHasFrames,
    ImageNeedsTooMuch,
    ImageProblem,
    ImageTooHeavy,
    ImageTooLarge,
    Limits,
    TruncatedImage,
    UnknownImage,
    headers,
    inspect,
    render,
    thumbnail,
)
from galvo_memory.images.headers.reader import Reader
from tests.plugins.memory.images.pictures import ANIMATED, BY_EACH, made, photo, saved

pytestmark = pytest.mark.anyio


@pytest.fixture
def no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test when anything is decoded."""

    def decode(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(render, "_decoded", decode)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, bits: int = 8, colour: int = 2) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def sized(kind: str, width: int, height: int) -> bytes:
    """A small file that says it is large."""
    data = bytearray(saved(photo(8, 8), kind))
    if kind == "JPEG":
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = struct.pack(">HH", height, width)
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif kind == "TIFF":
        target = io.BytesIO()
        Image.new("1", (8, 8)).save(target, "TIFF", tiffinfo={256: width, 257: height})
        data = bytearray(target.getvalue())
        for tag, value in ((256, width), (257, height)):
            place = data.index(struct.pack("<H", tag))
            data[place : place + 12] = struct.pack("<HHII", tag, 4, 1, value)
    else:
        return png(width, height)
    return bytes(data)


@pytest.mark.usefixtures("no_pixels")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF"])
async def test_too_many_pixels(kind: str) -> None:
    with pytest.raises(ImageTooLarge, match=r"big: 50,000 x 50,000 pixels are more than the limit of 150,000,000"):
        await thumbnail(sized(kind, 50_000, 50_000), width=10, name="big")


@pytest.mark.usefixtures("no_pixels")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF"])
async def test_no_pixels_at_all(kind: str) -> None:
    for size in ((0, 8), (8, 0)):
        with pytest.raises((EmptyImage, CorruptImage)):
            await thumbnail(sized(kind, *size), width=10)


@pytest.mark.usefixtures("no_pixels")
async def test_a_png_of_absurd_size() -> None:
    with pytest.raises(ImageTooLarge, match=r"4,294,967,295 x 1 pixels"):
        await thumbnail(png(2**32 - 1, 1), width=10)
    with pytest.raises(ImageTooLarge, match=r"1 x 70,000 pixels are more than the limit of 65,500 on a side"):
        await thumbnail(png(1, 70_000), width=10)


@pytest.mark.usefixtures("no_pixels")
async def test_bytes(tmp_path: Path) -> None:
    with pytest.raises(EmptyImage, match="logo: the file is empty"):
        await thumbnail(b"", width=10, name="logo")
    path = tmp_path / "heavy.png"
    path.write_bytes(made("png"))
    with pytest.raises(ImageTooHeavy, match=r"heavy\.png: .* KiB are more than the limit of 1000 B"):
        await thumbnail(path, width=10, limits=Limits(size=1000))


@pytest.mark.usefixtures("no_pixels")
@pytest.mark.parametrize("name", ANIMATED)
async def test_animations(name: str) -> None:
    with pytest.raises(ImageHasFrames, match=r"more than 1 frame"):
        await thumbnail(made(name), width=10)
    with pytest.raises(ImageHasFrames, match=r"more than 2 frame"):
        await thumbnail(made(name), width=10, limits=Limits(frames=2))


@pytest.mark.parametrize("name", ANIMATED)
async def test_the_first_frame_when_asked(name: str, route: str) -> None:
    data = await thumbnail(made(name), width=30, limits=Limits(frames=3))
    assert Image.open(io.BytesIO(data)).size == (30, 20)


@pytest.mark.usefixtures("no_pixels")
@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
async def test_bombs_in_text(kind: bytes) -> None:
    packed = zlib.compress(bytes(20 << 20), 9)
    data = b"a\0\1\0\0\0" + packed if kind == b"iTXt" else b"a\0\0" + packed
    with pytest.raises(ImageBomb, match=rf"{kind.decode()} unpacks to more than 1,048,576 bytes"):
        await thumbnail(png(8, 8, chunk(kind, data)), width=10)


@pytest.mark.usefixtures("no_pixels")
async def test_bombs_behind_the_pixels_and_in_pieces() -> None:
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 20), 9))
    behind = png(8, 8)[:-12] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2 << 20))) + chunk(b"IEND", b"")
    with pytest.raises(ImageBomb):
        await thumbnail(behind, width=10)
    with pytest.raises(ImageBomb, match="its metadata takes"):
        await thumbnail(png(8, 8, *[text] * 40), width=10)


@pytest.mark.usefixtures("no_pixels")
@pytest.mark.parametrize("end", [b"", b"broken"])
async def test_a_png_is_unpacked_no_further_than_is_allowed(end: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if each text ends in an error."""
    count, unpacked = 0, headers.png._unpacked

    def counted(*given: object) -> int:
        nonlocal count
        count += 1
        return unpacked(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(headers.png, "_unpacked", counted)
    packer = zlib.compressobj(9)
    whole = packer.compress(bytes((1 << 20) - 1)) + packer.flush(zlib.Z_FINISH if not end else zlib.Z_FULL_FLUSH)
    text = chunk(b"zTXt", b"a\0\0" + whole + (end and b"\xff" * 9))
    with pytest.raises(ImageBomb, match="its metadata takes more than 33,554,432 bytes"):
        await inspect(png(8, 8, *[text] * 60))
    assert count == 33


@pytest.mark.usefixtures("no_pixels")
@pytest.mark.parametrize("kind", ["blocks", "pieces"])
async def test_a_gif_of_countless_blocks(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers.gif, "BLOCKS", 1000)
    data = made("gif")
    place = 13 + (3 << (data[10] & 7) + 1)  # behind the colours
    more = b"\x21\xfe\0" * 1000 if kind == "blocks" else b"\x21\xfe" + b"\1a" * 1000 + b"\0"
    with pytest.raises(ImageBomb, match="logo: its GIF has more than 1,000 pieces"):
        await inspect(data[:place] + more + data[place:], name="logo")
    await inspect(data)


@pytest.mark.parametrize("call", [inspect, partial(thumbnail, width=10)])
async def test_a_header_is_read_no_further_than_somebody_waits_for_it(
    call: Callable[..., Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def long(reader: Reader, _: int) -> None:
        begun.set()
        try:
            for _ in range(1000):
                reader.at(0, 1)
                time.sleep(0.001)
        except TruncatedImage:
            stopped.set()
            raise

    monkeypatch.setattr(headers, "read", long)
    async with anyio.create_task_group() as group:
        group.start_soon(call, made("gif"))
        await anyio.to_thread.run_sync(begun.wait)
        group.cancel_scope.cancel()
    assert stopped.is_set()


@pytest.mark.usefixtures("no_pixels")
async def test_a_jpeg_of_a_thousand_scans() -> None:
    data = made("jpeg progressive")
    start, end = data.index(b"\xff\xda"), len(data) - 2
    with pytest.raises(ImageBomb, match=r"progressive scans are more than 100"):
        await thumbnail(data[:start] + data[start:end] * 30 + data[end:], width=10)


@pytest.mark.usefixtures("no_pixels")
async def test_more_than_the_whole_budget() -> None:
    with pytest.raises(ImageNeedsTooMuch, match=r"photo: .* MiB to decode it are more than the budget of 1\.0 MiB"):
        await thumbnail(made("png"), width=10, name="photo", admission=Admission(1 << 20))


@pytest.mark.parametrize("data", [b"hello", b"\0" * 100, b"RIFF\4\0\0\0WAVE", b"BM" + bytes(60), b"%PDF-1.7"])
async def test_other_files(data: bytes) -> None:
    with pytest.raises(UnknownImage, match="image: "):
        await inspect(data)


async def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnknownImage, match=r"pipe: it is no regular file"):
        await thumbnail(tmp_path / "pipe", width=10)
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        await thumbnail(tmp_path / "none.png", width=10)
    with pytest.raises(TypeError, match="bytes, a path or an async file, not int"):
        await thumbnail(7, width=10)  # type: ignore[arg-type]


@pytest.mark.parametrize("name, route", BY_EACH, indirect=["route"])
async def test_truncated(name: str, route: str) -> None:
    data = made(name)
    for share in (0.05, 0.5, 0.9):
        with pytest.raises(ImageProblem) as caught:
            await thumbnail(data[: int(len(data) * share)], width=100, name="cut")
        assert isinstance(caught.value, TruncatedImage | CorruptImage | UnknownImage)
        assert str(caught.value).startswith("cut: ")


@pytest.mark.parametrize("change", [{"width": 0}, {"height": 0}, {"format": "bmp"}, {"quality": 0}])
async def test_wrong_arguments(change: dict[str, object]) -> None:
    call: Callable[..., object] = thumbnail
    with pytest.raises(ValueError, match=r"width|quality|format"):
        await call(made("png"), **{"width": 10, **change})  # type: ignore[misc]
