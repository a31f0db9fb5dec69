"""Image tasks under a limit of memory that not all of them fit into at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from galvo_tasks import celery_app
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.scaling.asked import asked
from tests.plugins.tasks.scaling.group import Group, limited
from tests.plugins.tasks.stand import GALVO, PROJECT, Stand, standing

MIB = 1 << 20
LIMIT = 700 * MIB
IMAGES, SIZE, SECONDS, AT_ONCE = 8, 150, 0.4, 4
"""Four at once would take 600 MiB beside Python itself and the main process."""


@pytest.fixture
def stand(tmp_path: Path, own_redis: OwnRedis) -> Iterator[Stand]:
    with standing(
        tmp_path,
        own_redis.url,
        app="tests.plugins.tasks.scaling.jobs:app",
        kernel=False,
        classes={"image": {"memory": f"{SIZE}MiB"}, "bulk": {"memory": "16MiB"}},
    ) as made:
        yield made


@contextmanager
def running(group: Group, folder: Path, command: list[Any], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`command` under the group's limit, in a process group of its own."""
    words = " ".join(map(str, command))
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"{group.join} && exec {words}"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "C_FORCE_ROOT": "1", **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    group.watch(process.pid)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def finished(stand: Stand) -> set[int]:
    return {int(note.split()[1]) for note in stand.notes()}


def test_the_worker_that_scales_finishes_all(stand: Stand) -> None:
    app = celery_app("scaled", stand.settings)
    for number in range(IMAGES):
        app.send_task("tests.plugins.tasks.scaling.jobs.image", (number, SIZE, SECONDS), queue="scaled.image")
    with limited(LIMIT) as group:
        with (stand.folder / "settings" / "galvo.toml").open("a") as file:
            file.write(group.configured)
        command = [GALVO, "tasks", "worker", "--class", "image", "--concurrency", AT_ONCE]
        with running(group, stand.folder, command) as worker:
            stand.until(lambda: len(stand.notes()) == IMAGES)
            state = asked(stand, worker.pid)
            killed = group.killed()
    assert finished(stand) == set(range(IMAGES))
    assert killed == 0
    assert state.concurrency == 2
    assert "memory" in state.why


def test_plain_celery_is_killed(stand: Stand) -> None:
    """Twice as many processes as CPUs here, Celery's defaults otherwise."""
    plain = {"BROKER": "redis+socket" + stand.broker.removeprefix("unix")}
    with Celery("plain", broker=plain["BROKER"]) as app:
        for number in range(IMAGES):
            app.send_task("tests.plugins.tasks.scaling.plain.image", (number, SIZE, SECONDS))
    with limited(LIMIT) as group:
        command = [sys.executable, "-m", "celery", "-A", "tests.plugins.tasks.scaling.plain", "worker", "-c", AT_ONCE]
        with running(group, stand.folder, command, **plain):
            stand.until(lambda: group.killed() > 0)


def test_tasks_that_take_more_than_they_say_have_company_no_more(stand: Stand) -> None:
    """16 MiB each, they say: four would be 85 % of the limit and more. None is cut short."""
    with (stand.folder / "settings" / "galvo.toml").open("a") as file:
        file.write(f"[memory]\nlimit = {420 * MIB}\n")
    worker = stand.worker("--class", "bulk", "--concurrency", str(AT_ONCE))
    app = celery_app("scaled", stand.settings)
    for number in range(IMAGES):
        app.send_task("tests.plugins.tasks.scaling.jobs.image", (number, 75, 1.2), queue="scaled.bulk")
    stand.until(lambda: asked(stand, worker.process.pid).why.startswith("memory"))
    stand.until(lambda: len(stand.notes()) == IMAGES, 60)
    assert finished(stand) == set(range(IMAGES))
    stand.until(lambda: (state := asked(stand, worker.process.pid)).size <= state.concurrency < AT_ONCE)
    assert "raise memory under [tasks.classes.bulk]" in worker.log()
    assert "lost" not in worker.log()
