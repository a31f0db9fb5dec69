"""Pictures: sent, listed, shown, deleted; and what is no picture leaves nothing."""

from __future__ import annotations

import asyncio
import io
import json
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from galvo_engraving.pictures import store
from galvo_engraving.pictures.checking import Checked
from galvo_engraving.problems import TooLarge
from tests.plugins.engraving.http.pictures import FORMATS, drawn, kept, sent, sentence
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("format", FORMATS)
async def test_a_picture_is_what_was_sent(api: Api, format: str) -> None:
    client, contents = await api.customer(), drawn(format)
    told = await sent(client, contents, FORMATS[format], "a “cat”.x")
    assert told.status_code == 201, told.text
    picture = told.json()
    assert [*picture] == ["id", "name", "media_type", "width", "height", "size", "created_at"]
    assert (picture["name"], picture["media_type"]) == ("a “cat”.x", FORMATS[format])
    assert (picture["width"], picture["height"], picture["size"]) == (60, 40, len(contents))
    assert (await client.get(f"/api/images/{picture['id']}")).json() == picture
    shown = await client.get(f"/api/images/{picture['id']}/contents")
    assert (shown.content, shown.headers["content-type"]) == (contents, FORMATS[format])
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20%E2%80%9Ccat%E2%80%9D.x"
    known = {"if-none-match": shown.headers["etag"]}
    again = await client.get(f"/api/images/{picture['id']}/contents", headers=known)
    assert (again.status_code, again.content) == (304, b"")


async def test_a_thumbnail_is_small_and_told_to_be_the_same(api: Api) -> None:
    client = await api.customer()
    picture = await kept(client, drawn("JPEG", (900, 300)), "image/jpeg")
    shown = await client.get(f"/api/images/{picture['id']}/thumbnail")
    assert shown.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(shown.content)).size == (256, 85)
    known = {"if-none-match": shown.headers["etag"]}
    assert (await client.get(f"/api/images/{picture['id']}/thumbnail", headers=known)).status_code == 304
    other = await client.get(f"/api/images/{picture['id']}/thumbnail", params={"side": 32})
    assert Image.open(io.BytesIO(other.content)).size == (32, 11)


async def test_a_turned_picture_is_told_as_it_is_seen(api: Api) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    picture = await kept(await api.customer(), drawn("JPEG", exif=turned.tobytes()), "image/jpeg")
    assert (picture["width"], picture["height"]) == (40, 60)


async def test_the_same_again_is_the_same_and_of_another_is_anothers(api: Api) -> None:
    one, other = await api.customer(), await api.customer()
    first = await sent(one, drawn(seed=1))
    again = await sent(one, drawn(seed=1), name="another name")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert (await kept(other, drawn(seed=1)))["id"] != first.json()["id"]


async def test_the_list_has_all_of_ones_own_the_newest_first(api: Api) -> None:
    one, other = await api.customer(), await api.customer()
    ids = [(await kept(one, drawn(seed=seed)))["id"] for seed in range(5)]
    await kept(other, drawn())
    assert (await one.delete(f"/api/images/{ids.pop(2)}")).status_code == 204
    found, after = [], ""
    while True:
        page = (await one.get("/api/images", params={"limit": 3, "after": after})).json()
        found += [entry["id"] for entry in page["entries"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert found == ids[::-1]
    assert sentence(await one.get("/api/images", params={"after": "x"}), 400).startswith("after: ")


@pytest.mark.parametrize("path", ["", "/contents", "/thumbnail"])
async def test_anothers_picture_is_not_there(api: Api, path: str) -> None:
    picture = await kept(await api.customer(), drawn())
    other = await api.customer()
    told = sentence(await other.get(f"/api/images/{picture['id']}{path}"), 404)
    missing = sentence(await other.get(f"/api/images/{2**31 - 1}{path}"), 404)
    assert told.replace(str(picture["id"]), "") == missing.replace(str(2**31 - 1), "")
    assert sentence(await other.delete(f"/api/images/{picture['id']}"), 404) == told
    assert (await api.stranger().get(f"/api/images/{picture['id']}{path}")).status_code == 401


def huge(width: int, height: int) -> bytes:
    """A PNG whose header says so, and which is whole."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def two_frames() -> bytes:
    file = io.BytesIO()
    one = Image.new("P", (9, 9))
    one.save(file, "GIF", save_all=True, append_images=[Image.linear_gradient("L").resize((9, 9))])
    return file.getvalue()


BAD = {
    "no picture": (b"hello", "image/png", 415, "send JPEG, PNG, GIF, WebP or TIFF"),
    "a page": (b"<html><script>", "text/html", 415, "Content-Type: send the picture itself"),
    "a form": (b"--x", "multipart/form-data; boundary=x", 415, "Content-Type: send the picture itself"),
    "another type": (drawn("PNG"), "image/jpeg", 415, "Content-Type says image/jpeg, and it is image/png"),
    "empty": (b"", "image/png", 400, "the body is empty"),
    "200 megapixels": (huge(20_000, 10_000), "image/png", 422, "20,000 x 10,000 pixels are more than 100,000,000"),
    "no pixels": (huge(0, 10), "image/png", 422, "0 x 10 pixels are no picture"),
    "a long side": (huge(1_000_000, 2), "image/png", 422, "scale it down"),
    "a header alone": (huge(500, 500), "image/png", 422, "cannot be decoded"),
    "two frames": (two_frames(), "image/gif", 422, "more than one frame"),
    **{
        f"half a {format}": (drawn(format, (300, 200))[: len(drawn(format, (300, 200))) // 2], FORMATS[format], 422,
                             "send it again")
        for format in FORMATS
    },
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
async def test_what_is_no_picture_is_a_sentence_and_leaves_nothing(api: Api, what: str) -> None:
    contents, media_type, status, words = BAD[what]
    client = await api.customer()
    assert words in sentence(await sent(client, contents, media_type), status)
    assert (await client.get("/api/images")).json() == {"entries": [], "next": None}


async def test_without_a_type_nothing_is_read(api: Api) -> None:
    client = await api.customer()
    assert "Content-Type" in sentence(await client.post("/api/images", content=drawn()), 415)


async def test_one_that_is_too_large_is_refused_before_or_while_it_comes(api: Api) -> None:
    client = await api.customer()
    most, read = api.shop.settings.image_bytes, 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1 << 20
            yield b"\xff" * (1 << 20)

    headers = {"content-type": "image/png"}
    told = await client.post("/api/images", content=endless(), headers=headers)
    assert sentence(told, 413) == f"a picture may have {most:,} bytes: compress it, or scale it down"
    assert most < read <= most + (2 << 20)
    read = 0
    told = await client.post("/api/images", content=endless(), headers={**headers, "content-length": str(most + 1)})
    sentence(told, 413)
    assert read <= 1 << 20


async def test_a_client_that_breaks_off_is_no_error_and_leaves_nothing(api: Api) -> None:
    client = await api.customer()
    headers = {
        "content-type": "image/png",
        "content-length": "100000",
        "authorization": client.headers["authorization"],
    }
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "POST",
        "path": "/api/images", "raw_path": b"/api/images", "query_string": b"", "root_path": "", "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    come = iter([{"type": "http.request", "body": drawn(), "more_body": True}, {"type": "http.disconnect"}])
    told: list[Any] = []

    async def receive() -> Any:
        return next(come)

    async def send(message: Any) -> None:
        told.append(message)

    await api.app(scope, receive, send)
    assert told[0]["status"] == 400
    assert json.loads(told[1]["body"]) == {"problem": "the file did not come whole: send it again"}
    assert (await client.get("/api/images")).json()["entries"] == []


async def test_all_of_a_users_pictures_together_have_a_limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is behind a picture's end."""
    client, other = await api.customer(), await api.customer()
    pictures = [drawn(seed=seed) + bytes(3000) for seed in range(6)]
    monkeypatch.setattr(api.shop.settings, "user_bytes", 3 * len(pictures[0]) + 100)
    told = await asyncio.gather(*(sent(client, one) for one in pictures))
    refused = [one for one in told if one.status_code != 201]
    assert len(refused) == 3
    assert sentence(refused[0], 413) == (
        f"your pictures may have {api.shop.settings.user_bytes:,} bytes together: delete some, or compress this one"
    )
    listed = (await client.get("/api/images")).json()["entries"]
    assert len(listed) == 3
    again = pictures[[one.status_code for one in told].index(201)]
    assert (await sent(client, again)).status_code == 200  # it is there already
    assert (await sent(other, pictures[0])).status_code == 201
    assert (await client.delete(f"/api/images/{listed[0]['id']}")).status_code == 204
    assert (await sent(client, drawn(seed=7))).status_code == 201


async def test_many_that_are_stored_at_once_do_not_slip_through(api: Api) -> None:
    client = await api.customer()
    user = (await client.get("/api/me")).json()["id"]
    found = Checked("image/png", 1, 1)
    ways = (store.add(api.shop.db, user, "x", found, f"{n}", bytes(100), 300) for n in range(9))
    told = await asyncio.gather(*ways, return_exceptions=True)
    assert sum(isinstance(one, TooLarge) for one in told) == 6
    assert await api.shop.db.fetchval("select sum(size) from engraving.image where user_id = $1", user) == 300


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201, "\x00"])
async def test_a_name_that_cannot_be(api: Api, name: str) -> None:
    client = await api.customer()
    assert sentence(await sent(client, drawn(), name=name), 422).startswith("name: ")


async def test_strangers_send_nothing(api: Api) -> None:
    sentence(await sent(api.stranger(), drawn()), 401)
