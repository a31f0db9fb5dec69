"""Real workers that scale."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from galvo_tasks import celery_app
from galvo_tasks.scaling.asking import ask
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.stand import GALVO, PROJECT, Stand, standing
from tests.thorough import THOROUGH

TASKS, AT_ONCE = (400, 16) if THOROUGH else (24, 8)
PROCESS = "tests.plugins.tasks.scaling.jobs.process"


@pytest.fixture
def stand(tmp_path: Path, own_redis: OwnRedis) -> Iterator[Stand]:
    classes = {"quick": {"memory": "16MiB", "max_tasks": 1}}
    with standing(
        tmp_path, own_redis.url, app="tests.plugins.tasks.scaling.jobs:app", kernel=False, classes=classes
    ) as made:
        yield made


def test_a_process_for_each_task_and_all_of_them_live(stand: Stand) -> None:
    app = celery_app("scaled", stand.settings)
    for _ in range(TASKS):
        app.send_task(PROCESS)
    worker = stand.worker("--class", "quick", "--concurrency", str(AT_ONCE))
    stand.until(lambda: len(stand.notes()) == TASKS, 100)
    state = ask(worker.process.pid)
    assert len(set(stand.notes())) == TASKS
    assert state.forks >= TASKS - AT_ONCE
    assert state.size <= AT_ONCE
    assert "UP message" not in worker.log()  # a child that hung would be killed, with that
    shown = status(stand)
    assert f"{worker.process.pid}  quick" in shown
    assert max(map(len, shown.splitlines())) <= 80
    told = json.loads(status(stand, "--json"))
    assert [one["pid"] for one in told["workers"]] == [worker.process.pid]
    assert worker.stop() == 0


def status(stand: Stand, *words: str) -> str:
    return subprocess.run(
        [GALVO, "tasks", "status", *words],
        cwd=stand.folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
