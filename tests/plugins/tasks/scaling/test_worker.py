"""Real workers that scale."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from galvo_tasks import celery_app
from galvo_tasks.commands.status import main
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.scaling.asked import asked
from tests.plugins.tasks.stand import Stand, standing
from tests.thorough import THOROUGH

TASKS, AT_ONCE = (400, 16) if THOROUGH else (12, 8)
PROCESS = "tests.plugins.tasks.scaling.jobs.process"


@pytest.fixture
def stand(tmp_path: Path, own_redis: OwnRedis) -> Iterator[Stand]:
    classes = {"quick": {"memory": "16MiB", "max_tasks": 1}}
    with standing(
        tmp_path, own_redis.url, app="tests.plugins.tasks.scaling.jobs:app", kernel=False, classes=classes
    ) as made:
        yield made


def test_a_process_for_each_task_and_all_of_them_live(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = celery_app("scaled", stand.settings)
    for _ in range(TASKS):
        app.send_task(PROCESS)
    worker = stand.worker("--class", "quick", "--concurrency", str(AT_ONCE))
    stand.until(lambda: len(stand.notes()) == TASKS, 100)
    state = asked(stand, worker.process.pid)
    assert len(set(stand.notes())) == TASKS
    assert state.forks >= TASKS - AT_ONCE
    assert state.size <= AT_ONCE
    assert "UP message" not in worker.log()  # a child that hung would be killed, with that
    stand.until(lambda: asked(stand, worker.process.pid).size == 1)  # nobody needs the others any more
    monkeypatch.chdir(stand.folder)

    def shown(*words: str) -> str:
        assert main(words) == 0
        return capsys.readouterr().out

    stand.until(lambda: f"{worker.process.pid}  quick" in shown())
    assert max(map(len, shown().splitlines())) <= 80
    stand.until(lambda: [one["pid"] for one in json.loads(shown("--json"))["workers"]] == [worker.process.pid])
    assert worker.stop() == 0


@pytest.mark.skipif(not THOROUGH, reason="takes half a minute: GALVO_THOROUGH=1")
def test_no_process_is_ended_that_has_a_task_or_is_about_to_get_one(stand: Stand) -> None:
    """Bursts that leave the pool idle for about as long as it takes to end its processes."""
    app = celery_app("scaled", stand.settings)
    worker = stand.worker("--class", "bulk", "--concurrency", "6")
    sent = 0
    for burst in range(20):
        for _ in range(12):
            app.send_task("tests.plugins.tasks.scaling.jobs.short", (sent, 0.1), queue="scaled.bulk")
            sent += 1
        time.sleep(0.9 + burst * 0.02)
    stand.until(lambda: len(stand.notes()) >= sent)
    assert sorted(stand.notes()) == sorted(f"short {number}" for number in range(sent))
    assert "lost" not in worker.log()
    assert worker.stop() == 0
