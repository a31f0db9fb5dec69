"""What hangs on a project: parts, jobs, and the time that they will take."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from defusedxml import ElementTree

from galvo_engraving.jobs.estimate import PARTS, seconds
from galvo_engraving.projects import jobs, parts
from tests.plugins.engraving.http.projects import METAL, PART, made, posted
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio


async def test_parts_come_change_and_go(api: Api) -> None:
    client = await api.customer()
    path = f"/api/projects/{(await made(client))['id']}"
    part = await posted(client, f"{path}/parts", PART | {"width_mm": 120.1})
    assert part == {**PART, "width_mm": 120.1, "id": part["id"], "quantity": 1}
    told = await client.patch(f"/api/parts/{part['id']}", json={"quantity": 4, "operation": "score"})
    assert told.json() == part | {"quantity": 4, "operation": "score"}
    assert (await client.get(path)).json()["parts"] == [told.json()]
    assert (await client.delete(f"/api/parts/{part['id']}")).status_code == 204
    assert (await client.get(path)).json()["parts"] == []
    assert (await client.delete(f"/api/parts/{part['id']}")).status_code == 404


async def test_two_changes_of_a_part_are_both_kept(api: Api) -> None:
    client = await api.customer()
    path = f"/api/projects/{(await made(client))['id']}"
    part = await posted(client, f"{path}/parts", PART)
    await asyncio.gather(
        client.patch(f"/api/parts/{part['id']}", json={"quantity": 4}),
        client.patch(f"/api/parts/{part['id']}", json={"name": "back"}),
    )
    assert (await client.get(path)).json()["parts"] == [part | {"quantity": 4, "name": "back"}]


async def test_a_project_has_so_many_parts_and_no_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MOST", 3)
    client = await api.customer()
    path = f"/api/projects/{(await made(client))['id']}"
    told = await asyncio.gather(*(client.post(f"{path}/parts", json=PART) for _ in range(6)))
    assert sorted(one.status_code for one in told) == [201] * 3 + [409] * 3
    assert len((await client.get(path)).json()["parts"]) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 0},
        {"quantity": 2**15},
        {"width_mm": 0},
        {"height_mm": 1e30},
        {"path_mm": -1},
        {"operation": "fold"},
        {"name": ""},
        {"project_id": 1},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_part_that_cannot_be_is_refused(api: Api, change: dict[str, Any]) -> None:
    client = await api.customer()
    path = f"/api/projects/{(await made(client))['id']}"
    part = await posted(client, f"{path}/parts", PART)
    for told in (
        await client.post(f"{path}/parts", json=PART | change),
        await client.patch(f"/api/parts/{part['id']}", json=change),
    ):
        assert told.status_code == 422
        assert told.json()["problem"].startswith(next(iter(change)))
    assert (await client.get(path)).json()["parts"] == [part]


async def test_a_job_goes_through_the_workshop(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    path = f"/api/projects/{(await made(client))['id']}"
    job = await posted(client, f"{path}/jobs", {})
    assert (job["status"], job["machine"], job["seconds"]) == ("queued", "co2-60", None)
    page = (await client.get(path)).json()
    assert (page["status"], page["revision"], page["jobs"][0]["id"]) == ("ordered", 1, job["id"])
    where = f"/api/jobs/{job['id']}"
    assert (await staff.patch(where, json={"status": "done", "seconds": 3})).status_code == 409
    assert (await staff.patch(where, json={"status": "running"})).json()["finished_at"] is None
    assert (await staff.patch(where, json={"status": "running"})).status_code == 409
    assert (await client.get(where)).json()["status"] == "running"
    told = (await staff.patch(where, json={"status": "done", "seconds": 99.5})).json()
    assert (told["status"], told["seconds"]) == ("done", 99.5)
    assert told["finished_at"] > told["queued_at"]
    assert (await client.get(where)).json() == (await staff.get(where)).json() == told
    late = await staff.patch(where, json={"status": "failed"})
    assert late.status_code == 409
    assert late.json()["problem"] == "status: a job becomes failed only if it is queued or running"
    assert (await client.get(path)).json()["jobs"] == [{k: v for k, v in told.items() if k != "project_id"}]


async def test_only_staff_say_what_becomes_of_a_job(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    path = f"/api/projects/{(await made(client))['id']}"
    where = f"/api/jobs/{(await posted(client, f'{path}/jobs', {}))['id']}"
    assert (await client.patch(where, json={"status": "running"})).status_code == 403
    assert (await staff.patch("/api/jobs/2147483647", json={"status": "running"})).status_code == 404
    unfit: list[dict[str, Any]] = [
        {"status": "done"}, {"status": "running", "seconds": 3}, {"status": "queued"}, {"status": "done", "seconds": 0}
    ]  # fmt: skip
    for change in unfit:
        assert (await staff.patch(where, json=change)).status_code == 422
    assert (await client.get(where)).json()["status"] == "queued"


async def test_a_page_shows_the_last_jobs_and_so_many_may_wait(api: Api) -> None:
    client, staff = await api.customer(), await api.staff()
    path = f"/api/projects/{(await made(client))['id']}"
    made_jobs = [(await posted(client, f"{path}/jobs", {"machine": "ember"}))["id"] for _ in range(jobs.MOST)]
    told = await client.post(f"{path}/jobs", json={})
    assert told.status_code == 409
    assert (await staff.patch(f"/api/jobs/{made_jobs[0]}", json={"status": "failed"})).status_code == 200
    made_jobs.append((await posted(client, f"{path}/jobs", {}))["id"])
    assert [job["id"] for job in (await client.get(path)).json()["jobs"]] == made_jobs[:0:-1]


@pytest.mark.parametrize("thickness", [3, 3.5, 5, 5.01, 100])
async def test_an_estimate_is_what_the_job_would_say(api: Api, thickness: float) -> None:
    client = await api.customer()
    page = await made(client, thickness_mm=thickness)
    path = f"/api/projects/{page['id']}"
    for change in ({}, {"operation": "engrave", "quantity": 2}, {"operation": "score"}, {"path_mm": 77}):
        await posted(client, f"{path}/parts", PART | change)
    told = (await client.get(f"{path}/estimate")).json()
    expected = seconds(await api.shop.db.fetch(PARTS, page["id"]))
    assert told["by_operation"] == pytest.approx(expected, abs=0.1)
    assert told["seconds"] == pytest.approx(sum(expected.values()), abs=0.2)
    assert told["parts"] == 4
    assert (await client.get(path)).json()["cutting_seconds"] == pytest.approx(expected["cut"], abs=0.1)


async def test_without_parts_the_estimate_is_that_of_its_drawing(api: Api) -> None:
    """Against the lines of the file for the laser."""
    client = await api.customer()
    page = await made(client)
    path = f"/api/projects/{page['id']}"
    told = (await client.get(f"{path}/estimate")).json()
    drawing = ElementTree.fromstring((await client.get(f"{path}/export.svg")).content)
    cuts = next(group for group in drawing if group.get("data-operation") == "cut")
    length = sum(_length(line.get("d")) for line in cuts)
    assert length > 1000
    assert (told["from"], told["parts"]) == ("drawing", 0)
    expected = length / page["cut"]["speed_mm_s"] * page["cut"]["passes"]
    assert told["by_operation"]["cut"] == pytest.approx(expected, abs=0.2)
    assert set(told["by_operation"]) == {group.get("data-operation") for group in drawing}
    await client.patch(path, json={"revision": page["revision"], "parameters": {"width": 400}})
    assert (await client.get(f"{path}/estimate")).json()["seconds"] > told["seconds"]
    await posted(client, f"{path}/parts", PART)
    told = (await client.get(f"{path}/estimate")).json()
    assert (told["from"], told["parts"]) == ("parts", 1)
    assert told["seconds"] == (await client.get(path)).json()["cutting_seconds"]


def _length(path: str) -> float:
    """Of an SVG path of straight lines."""
    points = [tuple(map(float, point.split(","))) for point in path.removeprefix("M").removesuffix("Z").split()]
    return sum(map(math.dist, points, points[1:])) + (math.dist(points[-1], points[0]) if path.endswith("Z") else 0)


async def test_what_a_material_is_not_made_for_has_no_estimate(api: Api) -> None:
    client = await api.customer()
    page = await made(client, material_id=METAL)
    path = f"/api/projects/{page['id']}"
    told = await client.get(f"{path}/estimate")
    assert told.status_code == 409
    assert told.json()["problem"].startswith("the drawing: its material has no setting to cut it")
    await posted(client, f"{path}/parts", PART)
    told = await client.get(f"{path}/estimate")
    assert told.status_code == 409
    assert told.json()["problem"] == "front: its material has no setting to cut it: choose another one"
    page = (await client.get(path)).json()
    assert (page["cut"], page["cutting_seconds"]) == (None, None)
