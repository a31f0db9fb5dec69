"""Workers, brokers and publishers side by side, for one small round: what is counted is right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

from galvo_bench.method.rounds import Result
from galvo_bench.reports.table import show
from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.stand import Stand
from galvo_bench.tasks import askers, broker, load, priorities, publishing, rabbit, traps, ways, worker
from galvo_embedded import Servers
from tests.conftest import reachable_folder, until_released
from tests.thorough import THOROUGH

pytestmark = pytest.mark.anyio
TASKS = 40
PEERS = ("taskiq", "taskiq_redis", "procrastinate")


class Apart(Stand):
    """Its servers are in a folder of its own."""

    def __init__(self, folder: Path, postgres: str) -> None:
        super().__init__(postgres, rounds=1)
        self._folder = folder
        self._own: dict[str, Servers] = {}

    async def redis(self) -> str:
        return await self.redis_of("redis")

    async def redis_of(self, name: str) -> str:
        return await self._own.setdefault(name, Servers(self._folder / name)).redis()

    def close(self) -> None:
        for servers in self._own.values():
            servers.close()
        until_released(self._folder)


@pytest.fixture
def stand(server_dsn: str) -> Iterator[Stand]:
    with reachable_folder() as folder:
        stand = Apart(folder, server_dsn)
        yield stand
        stand.close()
    left = [child.cmdline() for child in psutil.Process().children(recursive=True) if "worker" in child.cmdline()]
    assert left == []


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured here is nobody's result."""
    if not THOROUGH:
        kept = {"galvo", "bulk 9, urgent 0"}
        monkeypatch.setattr(priorities, "BULK", 9)
        monkeypatch.setattr(priorities, "REDIS", [trap for trap in traps.REDIS if trap.way.name in kept])
        monkeypatch.setattr(rabbit, "PROGRAM", Path("not-there"))
    monkeypatch.setattr(publishing, "LOADS", {"10 at once": (20, 10)})
    monkeypatch.setattr(publishing, "SECONDS", 0.05)


async def test_urgent_tasks_are_first(stand: Stand) -> None:
    sections = await priorities.measure(stand)
    for section in sections:
        show(section)
    redis, rabbitmq = sections
    before = {name: row["bulk before"] for name, row in exact(redis).items()}
    assert 1 < before["bulk 9, urgent 0"] < 7
    assert {count for name, count in before.items() if name.startswith("galvo")} == {0}
    if THOROUGH:
        assert exact(rabbitmq)["galvo"]["bulk before"] == 0
        assert 1 < exact(rabbitmq)["bulk 0, urgent 9"]["bulk before"] < 7
    else:
        assert rabbitmq.rows == [Missing("RabbitMQ", "not installed (Debian's rabbitmq-server)")]


async def test_what_tasks_cost(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same workers for both: they take a second to start."""
    few = [way for way in ways.WAYS if way.name in {ways.BASELINE.name, "galvo, no kernel"}]
    async with load.loaded(stand, few, TASKS, processes=2) as workers:
        for subject in (worker, broker):
            monkeypatch.setattr(subject, "TASKS", TASKS)
            monkeypatch.setattr(subject, "loaded", lambda *_, **__: nullcontext(workers))
        [cpu] = await worker.measure(stand)
        [counted] = await broker.measure(stand)
    show(cpu)
    show(counted)
    assert [row.name for row in cpu.rows] == [*(way.name for way in few), "the first again (A/A)"]
    assert all(isinstance(row, Result) and row.seconds < 1 for row in cpu.rows)
    celery, ours = (exact(counted)[way.name] for way in few)
    assert 3 <= celery["to publish"] < 3.3
    assert 17 <= celery["sent"] <= celery["run"] < 19
    assert 1 <= ours["to publish"] < 1.2
    assert 3 <= ours["sent"] < 4
    assert ours["sent"] < ours["run"]
    assert 0 < ours["connections"] < celery["connections"]


async def test_publishing(stand: Stand) -> None:
    speed, lag = await publishing.measure(stand)
    for section in (speed, lag):
        show(section)
    names = list(exact(lag))
    assert names[0] == askers.BASELINE
    assert [row.name for row in speed.rows] == [*names, "the first again (A/A)"]
    assert {*names} >= {"galvo's submit"}


async def test_missing_peers_are_named(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(publishing, "OURS", {askers.BASELINE: askers.in_the_loop})
    for name in PEERS:
        monkeypatch.setitem(sys.modules, name, None)
    for section in await publishing.measure(stand):
        assert [row.missing for row in section.rows if isinstance(row, Missing)] == ["not installed"] * 2
        show(section)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def exact(section: Section) -> dict[str, dict[str, float]]:
    return {row.name: row.values for row in section.rows if isinstance(row, Values)}
