"""A folder with settings and real worker processes in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from galvo_tasks.settings import TasksSettings
from tests import forking
from tests.forking import Fork, shared

PROJECT = Path(__file__).parents[3]
GALVO = Path(sys.executable).parent / "galvo"


class Stand:
    """One application: its folder, its settings, its workers."""

    def __init__(self, folder: Path, broker: str, app: str = "tests.plugins.tasks.jobs:app", **settings: Any) -> None:
        self.folder = folder
        self.broker = broker
        self.values = {"broker": broker, "app": app, **settings}
        (folder / "settings").mkdir(exist_ok=True)
        lines = [f"{key} = {_toml(value)}" for key, value in self.values.items()]
        others = "".join(f"[{name}]\non = false\n" for name in ("embedded", "pool", "cache", "index", "monitor"))
        (folder / "settings" / "galvo.toml").write_text("[tasks]\n" + "\n".join(lines) + "\n" + others)
        self.workers: list[Worker] = []

    @property
    def settings(self) -> TasksSettings:
        return TasksSettings.model_validate(self.values)

    def worker(self, *words: str, ready: float = 30.0) -> Worker:
        """Started and ready; `words` for `galvo tasks worker`."""
        made = Worker(self.folder, words or ("--class", "quick"))
        self.workers.append(made)
        made.until("ready.", ready)
        return made

    def notes(self) -> list[str]:
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def until(self, true: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait for it. Raises AssertionError with the workers' logs."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise AssertionError("\n".join(worker.log() for worker in self.workers) or "no worker")
            time.sleep(0.01)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


class Worker:
    """`galvo tasks worker` in a process group of its own."""

    def __init__(self, folder: Path, words: tuple[str, ...]) -> None:
        self._path = folder / f"worker-{time.monotonic_ns()}.log"
        with self._path.open("wb") as log:
            self.process = Fork(
                shared(),
                forking.GALVO,
                ["galvo", "tasks", "worker", *words],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(PROJECT)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self) -> str:
        return self._path.read_text(errors="replace")

    def until(self, text: str, seconds: float = 30.0) -> None:
        """Wait until it has logged `text`. Raises AssertionError."""
        end = time.monotonic() + seconds
        while text not in self.log():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"no {text!r} in: {self.log()}")
            time.sleep(0.01)

    def kill(self) -> None:
        """All of its processes at once, as a machine that fails does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 20.0) -> int:
        """As an operator does, by SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def close(self) -> None:
        """Whatever is left of it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def standing(folder: Path, broker: str, **settings: Any) -> Iterator[Stand]:
    stand = Stand(folder, broker, **settings)
    try:
        yield stand
    finally:
        stand.close()


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float) else f'"{value}"'
