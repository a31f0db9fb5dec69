"""Rasters, made by the process that was asked."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from PIL import Image

from galvo_engraving.jobs.wanted import Wanted
from galvo_engraving.pictures.bench import Bench
from tests.plugins.engraving.http.pictures import drawn, ended, kept, sentence
from tests.plugins.engraving.http.served import served
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio
SMALL = {"width_mm": 12}


async def asked(client: httpx.AsyncClient, seed: int, **more: Any) -> httpx.Response:
    picture = await kept(client, drawn(seed=seed))
    return await client.post(f"/api/images/{picture['id']}/rasters", json={**SMALL, **more})


@pytest.mark.parametrize("dither", ["floyd-steinberg", "ordered"])
async def test_dots_are_made_and_the_second_time_they_are_there(api: Api, dither: str) -> None:
    client = await api.customer()
    async with standstill(api, client):  # so small a one may be done before it is answered
        told = await asked(client, 100, dither=dither, dots_per_mm=5.5, gamma=1.2)
    assert told.status_code == 202, told.text
    raster = told.json()
    assert raster["state"] in ("waiting", "running")
    assert (raster["width"], raster["height"], raster["total"], raster["cached"]) == (66, 44, 44, False)
    seen = await ended(client, raster["id"])
    assert [one["state"] for one in seen][-1] == "done"
    assert len({json.dumps(one) for one in seen}) == len(seen)
    assert seen[-1] == (await client.get(f"/api/rasters/{raster['id']}")).json()
    assert (seen[-1]["done"], seen[-1]["cached"]) == (44, False)
    dots = await client.get(f"/api/rasters/{raster['id']}/dots.png")
    image = Image.open(io.BytesIO(dots.content))
    assert (image.mode, image.size, image.histogram()[0]) == ("1", (66, 44), seen[-1]["burned"])
    known = {"if-none-match": dots.headers["etag"]}
    assert (await client.get(f"/api/rasters/{raster['id']}/dots.png", headers=known)).status_code == 304
    again = await asked(client, 100, dither=dither, dots_per_mm=5.5, gamma=1.2)
    assert (again.status_code, again.json()) == (200, {**seen[-1], "cached": True})


async def test_other_settings_are_other_dots_and_anothers_same_picture_has_these(api: Api) -> None:
    client = await api.customer()
    first = (await ended(client, (await asked(client, 101)).json()["id"]))[-1]
    for more in ({"gamma": 2}, {"width_mm": 12.01}, {"dither": "ordered"}, {"height_mm": 3}, {"machine_id": 2}):
        told = await asked(client, 101, **more)
        assert told.status_code == 202, more
        other = (await ended(client, told.json()["id"]))[-1]
        assert other["state"] == "done"
        assert other["cached"] is False
        lighter = other["burned"] < first["burned"]
        assert lighter == (more.get("gamma") == 2 or "height_mm" in more or "machine_id" in more)
    theirs = await asked(await api.customer(), 101)
    assert (theirs.status_code, theirs.json()["cached"]) == (200, True)
    assert theirs.json()["id"] != first["id"]


async def test_the_same_that_is_being_made_is_not_begun_twice(api: Api) -> None:
    client = await api.customer()
    async with standstill(api, client):
        one, other = await asked(client, 102), await asked(client, 102)
        assert (one.status_code, other.status_code) == (202, 202)
        assert one.json()["id"] == other.json()["id"]
    assert (await ended(client, one.json()["id"]))[-1]["state"] == "done"


async def test_a_cancelled_one_has_no_dots_and_may_be_asked_for_again(api: Api) -> None:
    client = await api.customer()
    async with unkept(api):
        before, told = await asked(client, 103, width_mm=390), await asked(client, 104)
        for raster in (told.json(), before.json()):
            cancelled = await client.delete(f"/api/rasters/{raster['id']}")
            assert cancelled.json()["state"] == "cancelled", cancelled.text
            assert "it is cancelled" in sentence(await client.get(f"/api/rasters/{raster['id']}/dots.png"), 409)
            assert [one["state"] for one in await ended(client, raster["id"])] == ["cancelled"]
    anew = await asked(client, 104)
    assert anew.status_code == 202
    assert (await ended(client, anew.json()["id"]))[-1]["state"] == "done"
    late = await client.delete(f"/api/rasters/{anew.json()['id']}")
    assert late.json()["state"] == "done"


async def test_who_leaves_is_not_told_and_the_others_are(api: Api) -> None:
    """A client that goes away ends its own stream, and no raster."""
    client = await api.customer()
    async with standstill(api, client):
        raster = (await asked(client, 105)).json()
        leaving = asyncio.create_task(ended(client, raster["id"]))
        staying = asyncio.create_task(ended(client, raster["id"]))
        await asyncio.wait([leaving], timeout=0.2)
        assert leaving.cancel()
    assert (await staying)[-1]["state"] == "done"
    assert leaving.cancelled()


async def test_who_has_signed_out_is_told_nothing_more(api: Api) -> None:
    client = await api.customer()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(api.app))
        real = await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=client.headers))
        async with standstill(api, client):
            raster = (await asked(client, 114)).json()
            following = real.stream("GET", f"/api/rasters/{raster['id']}/events")
            lines = (await stack.enter_async_context(following)).aiter_lines()
            assert "waiting" in await anext(lines)
            assert (await client.delete("/api/sessions/current")).status_code == 204
        assert [line async for line in lines if line] == []


async def test_dots_do_not_outlive_their_time_nor_their_picture(api: Api) -> None:
    client = await api.customer()
    raster = (await ended(client, (await asked(client, 106)).json()["id"]))[-1]
    key = await key_of(api, raster["id"])
    age = timedelta(seconds=api.shop.settings.image_ttl)
    await api.shop.db.execute("update engraving.dots set made_at = made_at - $2::interval where key = $1", key, age)
    assert "longer" in sentence(await client.get(f"/api/rasters/{raster['id']}/dots.png"), 409)
    anew = await asked(client, 106)
    assert anew.status_code == 202
    assert (await ended(client, anew.json()["id"]))[-1]["state"] == "done"
    assert (await client.delete(f"/api/images/{raster['image_id']}")).status_code == 204
    sentence(await client.get(f"/api/rasters/{anew.json()['id']}"), 404)
    assert await api.shop.db.fetchval("select count(*) from engraving.dots where key = $1", key) == 0


async def test_the_dots_stay_while_another_has_the_same_picture(api: Api) -> None:
    one, other = await api.customer(), await api.customer()
    raster = (await ended(one, (await asked(one, 107)).json()["id"]))[-1]
    theirs = await kept(other, drawn(seed=107))
    assert (await one.delete(f"/api/images/{raster['image_id']}")).status_code == 204
    told = await other.post(f"/api/images/{theirs['id']}/rasters", json=SMALL)
    assert (told.status_code, told.json()["cached"]) == (200, True)


async def test_a_picture_that_is_deleted_meanwhile_fails_nobody(api: Api) -> None:
    client = await api.customer()
    async with standstill(api, client) as bench:
        before, raster = (await asked(client, 108)).json(), (await asked(client, 109)).json()
        assert (await client.delete(f"/api/images/{raster['image_id']}")).status_code == 204
    assert (await ended(client, before["id"]))[-1]["state"] == "done"
    sentence(await client.get(f"/api/rasters/{raster['id']}"), 404)
    told = [one async for one in bench.here.changes(raster["id"])][-1]
    assert (told.state, told.problem) == ("failed", "the picture was deleted")


async def test_one_that_nobody_knows_may_be_anothers_for_a_while(api: Api) -> None:
    """Of a process that has ended, or of a worker, when tasks were just switched off."""
    client = await api.customer()
    raster = (await ended(client, (await asked(client, 112)).json()["id"]))[-1]
    api.app.state.pictures = Bench()
    await api.shop.db.execute("delete from engraving.dots where key = $1", await key_of(api, raster["id"]))
    assert (await client.get(f"/api/rasters/{raster['id']}")).json()["state"] == "waiting"
    following = asyncio.create_task(ended(client, raster["id"]))
    anew = (await asked(client, 112)).json()
    assert anew["id"] != raster["id"]
    assert (await ended(client, anew["id"]))[-1]["state"] == "done"
    assert [one["state"] for one in await following][-1] == "done"  # the same dots
    await api.shop.db.execute("delete from engraving.dots where key = $1", await key_of(api, raster["id"]))
    await api.shop.db.execute(
        "update engraving.raster set created_at = created_at - interval '1 hour' where id = $1", raster["id"]
    )
    last = (await ended(client, raster["id"]))[-1]
    assert (last["state"], last["problem"]) == ("failed", "nobody works on it any more: ask for it again")


@pytest.mark.parametrize("method, path", [("GET", ""), ("GET", "/events"), ("GET", "/dots.png"), ("DELETE", "")])
async def test_anothers_raster_is_not_there(api: Api, method: str, path: str) -> None:
    client, other = await api.customer(), await api.customer()
    raster = (await asked(client, 110)).json()
    told = sentence(await other.request(method, f"/api/rasters/{raster['id']}{path}"), 404)
    nobodys = "00000000-0000-4000-8000-000000000000"
    assert sentence(await other.request(method, f"/api/rasters/{nobodys}{path}"), 404) == told
    sentence(await api.stranger().request(method, f"/api/rasters/{raster['id']}{path}"), 401)
    sentence(await other.request(method, f"/api/rasters/1{path}"), 422)
    sentence(await other.post(f"/api/images/{raster['image_id']}/rasters", json=SMALL), 404)
    assert (await ended(client, raster["id"]))[-1]["state"] == "done"


@pytest.mark.parametrize(
    "more, words",
    [
        ({"width_mm": 0}, "width_mm: "),
        ({"width_mm": -1}, "width_mm: "),
        ({"width_mm": 1e308}, "width_mm: "),
        ({"width_mm": "NaN"}, "width_mm: "),
        ({"height_mm": 0.01}, "height_mm: "),
        ({"gamma": 0}, "gamma: "),
        ({"dots_per_mm": 1000}, "dots_per_mm: "),
        ({"dither": "random"}, "dither: "),
        ({"machine_id": 10**30}, "machine_id: "),
        ({"machine_id": 4711}, "machine_id: there is no such machine"),
        ({"colour": 1}, "colour: "),
        ({"width_mm": 901}, "901 x 600.7 mm do not fit on the bed of CO2 tube, 60 W, 900 x 600 mm"),
        ({"width_mm": 10, "height_mm": 601}, "10 x 601 mm do not fit on the bed"),
        ({"width_mm": 900, "dots_per_mm": 100}, "90,000 x 60,000 dots are more than 100,000,000"),
    ],
)
async def test_what_cannot_be_engraved_is_a_sentence(api: Api, more: dict[str, Any], words: str) -> None:
    assert sentence(await asked(await api.customer(), 111, **more), 422).startswith(words)


async def test_who_has_many_unfinished_waits_before_he_asks_for_more(api: Api) -> None:
    client, other = await api.customer(), await api.customer()
    picture = await kept(client, drawn(seed=113))
    async with standstill(api, client):
        told = await asyncio.gather(*(again(client, picture, width) for width in range(20, 32)))
        begun = [one.json()["id"] for one in told if one.status_code == 202]
        assert len(begun) == 5
        refused = next(one for one in told if one.status_code != 202)
        assert sentence(refused, 429) == "5 of your rasters are not done yet: wait for one, or cancel one"
        assert refused.headers["retry-after"] == "10"
        assert (await asked(other, 113)).status_code == 202  # everybody has his own five
        await client.delete(f"/api/rasters/{begun.pop()}")
        anew = await again(client, picture, 40)
        assert anew.status_code == 202, anew.text
        assert (await again(client, picture, 40)).json()["id"] == anew.json()["id"]  # it is no further one
        sentence(await again(client, picture, 41), 429)
        await asyncio.gather(*(client.delete(f"/api/rasters/{id}") for id in [*begun, anew.json()["id"]]))
        told = await asyncio.gather(*(again(client, picture, width) for width in range(50, 55)))
        assert {one.status_code for one in told} == {202}
        await asyncio.gather(*(client.delete(f"/api/rasters/{one.json()['id']}") for one in told))


async def test_nobody_follows_more_than_ten_at_once(api: Api) -> None:
    client, other = await api.customer(), await api.customer()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(api.app))
        real = await stack.enter_async_context(httpx.AsyncClient(base_url=url))
        await stack.enter_async_context(standstill(api, client))
        mine, theirs = [
            real.build_request(
                "GET", f"/api/rasters/{(await asked(one, 115)).json()['id']}/events", headers=one.headers
            )
            for one in (client, other)
        ]
        followed = [await real.send(mine, stream=True) for _ in range(10)]
        assert {one.status_code for one in followed} == {200}
        refused = await real.send(mine)
        assert sentence(refused, 429) == "you follow 10 rasters already: end one of these streams"
        assert refused.headers["retry-after"] == "10"
        followed.append(await real.send(theirs, stream=True))
        assert followed[-1].status_code == 200
        await followed[0].aclose()
        while (one := await real.send(mine, stream=True)).status_code == 429:  # the server learns of it a bit later
            await one.aclose()
        assert one.status_code == 200
        for left in (*followed, one):
            await left.aclose()


async def again(client: httpx.AsyncClient, picture: Any, width_mm: float) -> httpx.Response:
    return await client.post(f"/api/images/{picture['id']}/rasters", json={"width_mm": width_mm})


@asynccontextmanager
async def standstill(api: Api, client: httpx.AsyncClient) -> AsyncIterator[Bench]:
    """Nobody's turn comes."""
    await kept(client, drawn())  # then there is one
    bench: Bench = api.app.state.pictures
    async with bench.here.turn:
        yield bench


@asynccontextmanager
async def unkept(api: Api) -> AsyncIterator[None]:
    """Nobody's dots can be kept, so none are done before this ends."""
    own = await asyncpg.connect(api.dsn)
    try:
        async with own.transaction():
            await own.execute("lock table engraving.dots in share mode")
            yield
    finally:
        await own.close()


async def key_of(api: Api, raster: str) -> str:
    row = await api.shop.db.fetchrow(
        "select r.*, i.digest from engraving.raster r join engraving.image i on i.id = r.image_id where r.id = $1",
        raster,
    )
    return Wanted.of(row).key(row["digest"])
