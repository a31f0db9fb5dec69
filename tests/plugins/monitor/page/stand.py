"""A small real program with a page: its numbers come from psutil and from itself, and a store of its own keeps them."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import anyio
import psutil

from galvo_monitor.page import Past, create_app
from galvo_monitor.page.server import Server
from galvo_monitor.view import Alert, Chart, Insight, Panel, Status, Table, Value, View

EVERY = 0.2
"""Seconds between two looks."""
TOKEN = "open-sesame-0123456789"
HOSTILE = '<img src=x onerror="document.title=1"><b>&amp;</b>\u202e{{7*7}}'
CPU, TIMES, MEMORY = "system.cpu.utilization value", "process.cpu.time rate", "process.memory.usage value"
SERIES = {CPU: ("machine", "1"), TIMES: ("process", "1"), MEMORY: ("resident", "By")}


class Program:
    """What the monitor plugin is to the page."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._kept: dict[str, deque[tuple[float, float]]] = {name: deque(maxlen=5000) for name in SERIES}
        self._started = time.time()
        self._changed = anyio.Event()
        self.alerts: list[Alert] = []
        self.insights: list[Insight] = []
        self.verdict: tuple[Status, str] = ("ok", "All works as usual.")
        self.charts: list[Chart] = []
        self.tables = [Table("Open files", [("What", ""), ("Count", "{file}"), ("", "")], [[HOSTILE, 3.0, "few"]])]
        self.looks = 0
        self._view = self._look()

    def view(self) -> View:
        return self._view

    def past(self, series: str, start: float, end: float, points: int) -> Past | None:
        if series not in self._kept:
            return None
        kept = [pair for pair in self._kept[series] if start <= pair[0] <= end][-points:]
        values = [value for _, value in kept]
        return SimpleNamespace(times=[at for at, _ in kept], means=values, highs=values)

    async def wait(self, after: float) -> View:
        while self._view.at <= after:
            await self._changed.wait()
        return self._view

    async def run(self) -> None:
        while True:
            await anyio.sleep(EVERY)
            self.look()

    def look(self) -> None:
        self._view = self._look()
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def fire(self, sentence: str, labels: tuple[tuple[str, str], ...] = ()) -> None:
        self.alerts = [Alert("Test", "critical", "firing", sentence, time.time(), 1.0, labels)]
        self.verdict = ("critical", sentence)

    def resolve(self) -> None:
        self.alerts = [
            Alert(one.name, one.severity, "resolved", one.sentence, time.time(), one.value, one.labels)
            for one in self.alerts
        ]
        self.verdict = ("ok", "All works as usual.")

    def _look(self) -> View:
        at = time.time()
        self.looks += 1
        now = {
            CPU: psutil.cpu_percent() / 100,
            TIMES: self._process.cpu_percent() / 100,
            MEMORY: float(self._process.memory_info().rss),
        }
        for name, value in now.items():
            self._kept[name].append((at, value))
        drawn = {name: Value(name, *SERIES[name], now[name]) for name in now}
        charts = [Chart("Processor", [drawn[CPU], drawn[TIMES]])]
        panels = [
            Panel("system", "System", charts + self.charts),
            Panel("memory", HOSTILE, [Chart(HOSTILE, [drawn[MEMORY]])], self.tables),
        ]
        status, sentence = self.verdict
        return View(at, self._started, os.getpid(), sentence, status, self.alerts, self.insights, panels)


class Serving:
    """`program` with its page on a port, in a thread; can be stopped and started again."""

    def __init__(self, program: Program, *, port: int = 0, token: str | None = None) -> None:
        self.program = program
        self._token = token
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._started = threading.Event()
        self._thread = threading.Thread(target=anyio.run, args=(self._serve,))
        self._thread.start()
        assert self._started.wait(30)

    async def _serve(self) -> None:
        self.app = create_app(self.program, token=self._token, public=self._token is None)
        self.server = Server(self.app)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.program.run)
            self._started.set()
            await self.server.serve(sockets=[self._listening])
            tasks.cancel_scope.cancel()

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._listening.close()


@contextmanager
def serving(program: Program, **given: int | str | None) -> Iterator[Serving]:
    made = Serving(program, **given)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        if made.server.should_exit is False:
            made.stop()
