"""Rasters that a real worker makes, followed over real HTTP."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
from PIL import Image

from galvo_embedded import Servers
from galvo_engraving.demo.hand import hand
from galvo_engraving.jobs.raster import engraved
from galvo_engraving.jobs.tasks import shop as jobs_of
from galvo_engraving.jobs.wanted import Wanted
from galvo_engraving.pictures.bench import Bench
from galvo_tasks import TasksSettings, jobs
from galvo_tasks.publishing.publisher import close
from tests.conftest import NUMBERS
from tests.plugins.engraving.http.pictures import drawn, ended, kept, sentence
from tests.plugins.engraving.http.stand import ALL, Api, running

pytestmark = pytest.mark.anyio
LONG = {"width_mm": 880}
"""Half a second at least: progress is told ten times a second."""


@pytest.fixture(scope="module")
async def api(
    anyio_backend: str, filled: str, server_dsn: str, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """Everything on, and one worker."""
    name, redis = f"{filled}_{next(NUMBERS)}", await servers.redis()
    top = await asyncpg.connect(server_dsn)
    await top.execute(f'create database "{name}" template "{filled}" strategy = file_copy')
    dsn = server_dsn.replace("/postgres?", f"/{name}?")
    app = jobs_of(TasksSettings.model_validate({"broker": redis}))
    try:
        async with hand(tmp_path_factory.mktemp("worker"), redis, dsn), running(ALL, dsn, redis) as made:
            made.shop.jobs = app
            yield made
    finally:
        await jobs.close()
        await asyncio.to_thread(close, app)
        await top.execute(f'drop database "{name}" with (force)')
        await top.close()


async def asked(client: httpx.AsyncClient, seed: int, **wanted: Any) -> httpx.Response:
    picture = await kept(client, drawn(seed=seed))
    return await client.post(f"/api/images/{picture['id']}/rasters", json={"width_mm": 12, **wanted})


async def test_the_worker_makes_what_this_process_would(api: Api) -> None:
    client = await api.customer()
    told = await asked(client, 1, gamma=0.8, dither="ordered")
    assert told.status_code == 202, told.text
    seen = await ended(client, told.json()["id"])
    assert seen[-1]["state"] == "done"
    bench: Bench = api.app.state.pictures
    assert not bench.here.knows(told.json()["id"])
    here = await engraved(drawn(seed=1), Wanted(12.0, gamma=0.8, dither="ordered"))
    shown = await client.get(f"/api/rasters/{told.json()['id']}/dots.png")
    assert (shown.content, seen[-1]["burned"]) == (here["png"], here["burned"])
    again = await asked(client, 1, gamma=0.8, dither="ordered")
    assert (again.status_code, again.json()) == (200, {**seen[-1], "cached": True})


async def test_the_dots_come_from_the_cache_the_second_time(api: Api) -> None:
    client = await api.customer()
    raster = (await asked(client, 2)).json()
    await ended(client, raster["id"])
    assert api.shop.kernel
    first = await client.get(f"/api/rasters/{raster['id']}/dots.png")
    before = 0
    for _ in range(6):
        assert (await client.get(f"/api/rasters/{raster['id']}/dots.png")).content == first.content
        assert (await client.get(f"/api/rasters/{raster['id']}")).json()["state"] == "done"
        assert (await asked_again(client, raster)).json()["cached"] is True
        before = before or await queries(api)
    assert await queries(api) == before


async def test_progress_is_told_line_by_line(api: Api) -> None:
    client = await api.customer()
    raster = (await asked(client, 3, **LONG)).json()
    seen = await ended(client, raster["id"])
    lines = [one["done"] for one in seen]
    assert lines == sorted(lines)
    assert {one["state"] for one in seen} >= {"running", "done"}
    assert len({one["done"] for one in seen}) > 2
    assert all(one["total"] == raster["total"] == 5867 for one in seen)


async def test_one_is_cancelled_while_it_runs_and_one_while_it_waits(api: Api) -> None:
    client = await api.customer()
    long = (await asked(client, 4, **LONG)).json()
    waiting = (await asked(client, 5)).json()
    cancelled = await client.delete(f"/api/rasters/{waiting['id']}")
    assert cancelled.json()["state"] == "cancelled"
    await client.delete(f"/api/rasters/{long['id']}")
    assert (await ended(client, long["id"]))[-1]["state"] == "cancelled"
    sentence(await client.get(f"/api/rasters/{long['id']}/dots.png"), 409)
    assert (await ended(client, (await asked(client, 5)).json()["id"]))[-1]["state"] == "done"


async def test_anothers_first_comes_before_somebodys_second(api: Api) -> None:
    one, other = await api.customer(), await api.customer()
    await kept(one, drawn(seed=11))
    await kept(other, drawn(seed=12))
    first, second = (await asked(one, 11, width_mm=500)).json(), (await asked(one, 11, width_mm=399)).json()
    theirs = (await asked(other, 12)).json()
    for client, raster in ((one, first), (one, second), (other, theirs)):
        assert (await ended(client, raster["id"]))[-1]["state"] == "done"
    made = await api.shop.db.fetch("select width from engraving.dots order by made_at desc limit 3")
    assert [row["width"] for row in made][::-1] == [first["width"], theirs["width"], second["width"]]


async def test_why_one_has_failed_is_told(api: Api) -> None:
    client = await api.customer()
    picture = await kept(client, drawn(seed=6))
    await api.shop.db.execute(
        "update engraving.image set contents = substring(contents for 100) where id = $1", picture["id"]
    )
    raster = (await client.post(f"/api/images/{picture['id']}/rasters", json={"width_mm": 12})).json()
    last = (await ended(client, raster["id"]))[-1]
    assert last["state"] == "failed"
    assert last["problem"].startswith("a picture: ")
    assert last["problem"].endswith("send it again")
    assert (await client.get(f"/api/rasters/{raster['id']}")).json() == last
    assert sentence(await client.get(f"/api/rasters/{raster['id']}/dots.png"), 409) == last["problem"]


async def test_without_the_broker_it_is_a_sentence_and_nothing_is_left(api: Api) -> None:
    client = await api.customer()
    mine, away = api.shop.jobs, jobs_of(TasksSettings.model_validate({"broker": "redis://localhost:1/0"}))
    picture = await kept(client, drawn(seed=7))
    api.shop.jobs = away
    try:
        told = await client.post(f"/api/images/{picture['id']}/rasters", json={"width_mm": 12})
        assert "ask again in a minute" in sentence(told, 503)
    finally:
        api.shop.jobs = mine
        await asyncio.to_thread(close, away)
    assert not await api.shop.db.fetchval("select count(*) from engraving.raster where image_id = $1", picture["id"])


async def test_with_tasks_switched_off_this_process_makes_it(api: Api) -> None:
    client = await api.customer()
    mine, api.shop.jobs = api.shop.jobs, None
    try:
        raster = (await asked(client, 8)).json()
        assert (await ended(client, raster["id"]))[-1]["state"] == "done"
    finally:
        api.shop.jobs = mine
    bench: Bench = api.app.state.pictures
    assert bench.here.knows(raster["id"])
    assert (await client.get(f"/api/rasters/{raster['id']}")).json()["state"] == "done"


async def test_a_client_that_goes_leaves_nothing_running(api: Api) -> None:
    client = await api.customer()
    bench: Bench = api.app.state.pictures
    mine, api.shop.jobs = api.shop.jobs, None
    try:
        async with bench.here.turn, serving(api) as url:  # its turn does not come
            raster = (await asked(client, 9)).json()
            before = len(asyncio.all_tasks())
            async with httpx.AsyncClient(base_url=url, headers=client.headers) as real:
                async with real.stream("GET", f"/api/rasters/{raster['id']}/events") as told:
                    line = await anext(told.aiter_lines())
                    assert json.loads(line.removeprefix("data: "))["state"] == "waiting"
                    assert len(asyncio.all_tasks()) > before
                await until(lambda: len(asyncio.all_tasks()) <= before)
            assert (await client.delete(f"/api/rasters/{raster['id']}")).json()["state"] == "cancelled"
    finally:
        api.shop.jobs = mine


async def test_what_the_process_works_on_ends_with_it(api: Api) -> None:
    client = await api.customer()
    bench: Bench = api.app.state.pictures
    mine, api.shop.jobs = api.shop.jobs, None
    try:
        async with serving(api):
            raster = (await asked(client, 10, **LONG)).json()
        told = await bench.here.look(raster["id"])
        assert told is not None
        assert told.state == "cancelled"
    finally:
        api.shop.jobs = mine


async def test_a_large_photo_over_real_http(api: Api) -> None:
    client = await api.customer()
    file = io.BytesIO()
    Image.effect_noise((2400, 1600), 90).save(file, "JPEG", quality=97)
    assert len(file.getvalue()) > 2 << 20
    async with serving(api) as url, httpx.AsyncClient(base_url=url, headers=client.headers, timeout=60) as real:
        picture = await kept(real, file.getvalue(), "image/jpeg")
        shown = await real.get(f"/api/images/{picture['id']}/contents")
        assert shown.content == file.getvalue()
        told = await real.post(
            "/api/images", content=b"x" * (33 << 20), headers={"content-type": "image/png", "expect": "100-continue"}
        )
        assert "compress it" in sentence(told, 413)


async def queries(api: Api) -> int:
    """How many of the application's statements have reached the database."""
    assert api.shop.kernel
    return int(api.shop.kernel.plugin_stats("pool")["queries"])


async def asked_again(client: httpx.AsyncClient, raster: Any) -> httpx.Response:
    return await client.post(f"/api/images/{raster['image_id']}/rasters", json={"width_mm": 12})


async def until(true: Any) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110  # what it waits for tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[str]:
    """Its URL."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(api.app, log_level="warning", timeout_graceful_shutdown=1))
        task = asyncio.create_task(server.serve(sockets=[taken]))
        await until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
