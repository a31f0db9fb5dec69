"""Workers as an operator starts them: `celery worker` and `galvo tasks worker`, each in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from galvo import GalvoError
from galvo_bench.running.tied import tied
from galvo_bench.tasks import ours, plain
from galvo_bench.tasks.jobs import BEGUN, DONE, PLAIN, READY, Jobs, jobs_of
from galvo_tasks import TasksSettings, celery_app
from galvo_tasks.broker.address import kombu_url
from galvo_tasks.publishing import publisher

SECONDS = 60.0
"""What anything may take."""
CELERY = (sys.executable, "-m", "celery", "-A", plain.__name__)
GALVO = (str(Path(sys.executable).parent / "galvo"), "tasks")
OFF = ("embedded", "pool", "cache", "index")
"""Plugins that no worker here needs: it has neither PostgreSQL nor a cache."""


class Way(msgspec.Struct, frozen=True):
    """A worker and whoever publishes to it: both are configured alike."""

    name: str
    settings: dict[str, Any] = {}
    """Celery's configuration, or the settings below `[tasks]`."""
    words: tuple[str, ...] = ()
    """For the worker's command line."""
    galvo: bool = False
    results: bool = False
    """Celery's results, in the broker's Redis."""
    transport: bool = False
    """galvo's transport for Redis beneath Celery's own tasks."""
    task: str = "nothing"
    """Which of the jobs it is measured with."""


class Worker:
    """Started when made, ready after `until_ready`."""

    def __init__(self, way: Way, broker: str, number: int = 0, processes: int = 1) -> None:
        self.name = way.name
        self.folder = Path(tempfile.mkdtemp(prefix="galvo-bench-worker-"))
        queue = f"bench{number}"
        configure, script = (_galvo, GALVO) if way.galvo else (_celery, CELERY)
        self.jobs: Jobs = configure(self.folder, way, broker, queue)
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*script, "worker", "--concurrency", str(processes), *(way.words or ("--class", "quick") * way.galvo)],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=tied(),  # it reads no input that could end
            )

    def until_ready(self) -> None:
        self.until((self.folder / READY).exists)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for it. Raises GalvoError with the end of the log."""
        end = time.monotonic() + SECONDS
        while not true():
            if self._process.poll() is not None or time.monotonic() > end:
                log = (self.folder / "log").read_text(errors="replace")
                raise GalvoError(f"the worker of {self.name!r} does not work here: {log[-2000:]}")
            time.sleep(0.002)

    def begun(self) -> list[tuple[str, float]]:
        """Which kinds of timed tasks have begun, and when by the monotonic clock."""
        path = self.folder / BEGUN
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [(kind, float(when)) for kind, when in (line.split() for line in lines)]

    def pause(self) -> None:
        """Its main process takes nothing from the broker until it goes on."""
        self._process.send_signal(signal.SIGSTOP)
        (self.folder / DONE).unlink(missing_ok=True)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def done(self) -> bool:
        """Whether the task `last` has run since it was paused."""
        return (self.folder / DONE).exists()

    def cpu(self) -> float:
        """Seconds of CPU of all of its processes, those that have ended too; of Linux, and finer than its ticks."""
        main = psutil.Process(self._process.pid)
        ended = main.cpu_times()
        alive = sum(_ran(process.pid) for process in (main, *main.children(recursive=True)))
        return alive + ended.children_user + ended.children_system

    def kill(self) -> None:
        """All of its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        publisher.close(self.jobs.app)
        self.jobs.app.close()
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _ran(pid: int) -> float:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _celery(folder: Path, way: Way, broker: str, queue: str) -> Jobs:
    url = kombu_url(broker) if way.transport else broker.replace("unix:", "redis+socket:")
    values = {"broker_url": url, "task_default_queue": queue, **way.settings}
    if way.results:
        values["result_backend"] = url
    (folder / PLAIN).write_text(json.dumps(values))
    return jobs_of(plain.celery(values))


def _galvo(folder: Path, way: Way, broker: str, name: str) -> Jobs:
    values = {"broker": broker, "app": f"{ours.__name__}:app", **way.settings}
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    off = [f"[{plugin}]\non = false" for plugin in OFF]
    (folder / "settings").mkdir()
    (folder / "settings" / "galvo.toml").write_text("\n".join(["[tasks]", *lines, *off, ""]))
    (folder / ours.NAME).write_text(name)
    return jobs_of(celery_app(name, TasksSettings.model_validate(values)))
