"""Two applications and a psql write, everybody reads: no answer is older than what was acknowledged before it was
asked for. For psql's writes, which galvo is told of by NOTIFY, there is no such order: each process has to show them
soon, and once it has, never what was before.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import httpx
import pytest

from galvo_engraving.accounts import passwords
from galvo_engraving.load import load
from tests.plugins.engraving.http.shops import AShop, Psql, run_galvo
from tests.plugins.engraving.http.stand import PASSWORD
from tests.thorough import THOROUGH

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]
SECONDS = 60.0 if THOROUGH else 5.0
READERS = 3
"""Of each process."""
EMAIL = "staff@example.com"
TABLES = ("material", "laser_setting", "box_template", "box_parameter", "project")
SOON = 10.0
"""Seconds after which a write that psql made and nobody shows is lost, not late."""


@pytest.fixture
async def shops(dsn: str, folder: Path) -> AsyncIterator[list[AShop]]:
    connection = await asyncpg.connect(dsn)
    await load(connection, 0.02)
    await connection.execute(
        "insert into engraving.user_account (email, name, studio, role, password, created_at) "
        "values ($1, 'S', 'S', 'staff', $2, now())",
        *(EMAIL, await passwords.hashed(PASSWORD)),
    )
    await connection.close()
    await run_galvo(folder, dsn, "cache", "watch", *(f"engraving.{table}" for table in TABLES))
    async with AsyncExitStack() as stack:
        made = [await AShop.start(folder, dsn, stack) for _ in range(2)]
        yield made


class Crowd:
    """Who writes and who reads; `acked` is the version of each thing that was acknowledged, `stale` what was older."""

    def __init__(self, shops: list[AShop]) -> None:
        self.shops = shops
        self.clients: list[httpx.AsyncClient] = []
        self.acked: dict[str, int] = defaultdict(int)
        self.reads = self.writes = 0
        self.stale: list[str] = []
        self.late: list[float] = []
        """Seconds from psql's acknowledgement until the last process showed it."""
        self.seen: dict[tuple[int, str], int] = defaultdict(int)
        """Of what psql writes: the latest version that a process has shown."""
        self.shown = anyio.Event()
        """Something of psql's was."""
        self.until = 0.0
        self.written = False
        """Nobody writes any more."""

    @property
    def over(self) -> bool:
        return time.monotonic() > self.until

    async def enter(self) -> None:
        for shop in self.shops:
            client = httpx.AsyncClient(base_url=shop.address, timeout=30)
            told = await client.post("/api/sessions", json={"email": EMAIL, "password": PASSWORD})
            client.cookies.clear()
            client.headers["authorization"] = f"Bearer {told.json()['token']}"
            self.clients.append(client)

    async def write(self, thing: str, change: Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]) -> None:
        """One writer for each thing, now by one process, now by the other."""
        while not self.over:
            version = self.acked[thing] + 1
            told = await change(random.choice(self.clients), version)
            assert told.status_code == 200, told.text
            self.acked[thing] = version
            self.writes += 1
            await anyio.sleep(random.random() * 0.02)

    async def read(self, place: int) -> None:
        """`place`: of the process."""
        client = self.clients[place]
        while not self.written:
            address, versions = random.choice(READS)
            before = dict(self.acked)
            shown = dict(self.seen)
            told = await client.get(address)
            assert told.status_code == 200, told.text
            self.reads += 1
            for thing, version in versions(told.json()).items():
                if version < before.get(thing, 0):
                    self.stale.append(f"{address} by {place}: {thing} {version} < {before[thing]}")
                if version < shown.get((place, thing), 0):
                    self.stale.append(f"{address} by {place}: {thing} went back to {version}")
                if thing == OUTSIDE:
                    self.seen[place, thing] = max(self.seen[place, thing], version)
                    self.shown.set()
                    self.shown = anyio.Event()

    async def write_outside(self, psql: Psql) -> None:
        version = 0
        while not self.over:
            version += 1
            await psql.write(f"update engraving.box_template set summary = 'v{version}' where id = 2")
            began = time.monotonic()
            with anyio.fail_after(SOON):
                while any(self.seen[place, OUTSIDE] < version for place in range(2)):
                    await self.shown.wait()
            self.late.append(time.monotonic() - began)


def version_of(text: str) -> int:
    return int(text.rpartition(" v")[2]) if " v" in text else 0


def of_material(told: Any) -> dict[str, int]:
    (setting,) = [one for one in told["settings"] if one["id"] == 1]
    return {"material": version_of(told["name"]), "setting": int(setting["speed_mm_s"]) - 1000}


def of_project(told: Any) -> dict[str, int]:
    return {"project": version_of(told["name"]), "material": version_of(told["material"]["name"])}


def of_projects(told: Any) -> dict[str, int]:
    return {"project": version_of(told["entries"][0]["name"])}


OUTSIDE = "written by psql"
READS: list[tuple[str, Callable[[Any], dict[str, int]]]] = [
    ("/api/materials/1", of_material),
    ("/api/templates/1", lambda told: {"template": version_of(told["summary"])}),
    ("/api/templates/2", lambda told: {OUTSIDE: int(told["summary"][1:]) if told["summary"][:1] == "v" else 0}),
    ("/api/projects", of_projects),
]


async def test_nobody_is_shown_what_was_before_an_acknowledged_write(
    shops: list[AShop], dsn: str, record_property: Callable[[str, object], None]
) -> None:
    crowd = Crowd(shops)
    await crowd.enter()
    asked = {"name": "Project v0", "template_id": 1, "material_id": 1, "thickness_mm": 3}
    made = await crowd.clients[0].post("/api/projects", json=asked)
    assert made.status_code == 201, made.text
    project = made.json()["id"]
    revision = made.json()["revision"]

    async def rename(client: httpx.AsyncClient, version: int) -> httpx.Response:
        nonlocal revision
        told = await client.patch(
            f"/api/projects/{project}", json={"name": f"Project v{version}", "revision": revision}
        )
        revision = told.json().get("revision")
        return told

    READS.append((f"/api/projects/{project}", of_project))
    for path, name in (("/api/materials/1", "name"), ("/api/templates/1", "summary")):
        assert (await crowd.clients[0].patch(path, json={name: "Begun v0"})).status_code == 200
    assert (await crowd.clients[0].patch("/api/settings/1", json={"speed_mm_s": 1000})).status_code == 200
    outside = await Psql.start(dsn)
    crowd.until = time.monotonic() + SECONDS
    try:
        async with anyio.create_task_group() as group:
            for place in range(2):
                for _ in range(READERS):
                    group.start_soon(crowd.read, place)
            async with anyio.create_task_group() as writing:
                writing.start_soon(crowd.write_outside, outside)
                writing.start_soon(crowd.write, "project", rename)
                for thing, path, values in (
                    ("material", "/api/materials/1", lambda version: {"name": f"Material v{version}"}),
                    ("template", "/api/templates/1", lambda version: {"summary": f"Summary v{version}"}),
                    ("setting", "/api/settings/1", lambda version: {"speed_mm_s": 1000 + version}),
                ):
                    writing.start_soon(crowd.write, thing, changing(path, values))
            crowd.written = True
    finally:
        READS.pop()
        await outside.end()
        for client in crowd.clients:
            await client.aclose()
    late = sorted(crowd.late)
    for name, value in {
        "reads": crowd.reads,
        "writes": crowd.writes,
        "writes by psql": len(late),
        "psql: median ms until all show it": round(1000 * late[len(late) // 2], 1),
        "psql: most ms": round(1000 * late[-1], 1),
    }.items():
        record_property(name, value)
    print(f"{crowd.reads} reads, {crowd.writes} writes; psql: {len(late)} writes, shown by all within {late[-1]:.3f} s")
    assert crowd.stale == []
    assert set(crowd.acked) == {"project", "material", "template", "setting"}, "not everything was written"
    assert crowd.reads > crowd.writes


def changing(path: str, values: Any) -> Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]:
    async def change(client: httpx.AsyncClient, version: int) -> httpx.Response:
        return await client.patch(path, json=values(version))

    return change
