"""A pytest plugin, for the process that runs asyncpg's tests: puts the pool in place, writes down what happens."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.asyncpg_suite.hangs import unwatch, watch
from tests.asyncpg_suite.impatience import notice_dead_servers
from tests.asyncpg_suite.places import lend, put_in_place, put_into_module
from tests.asyncpg_suite.variants import Variant, variant


def pytest_addoption(parser: pytest.Parser) -> None:
    for name in ("--variant", "--way", "--record"):
        parser.addoption(name, required=True)


def pytest_configure(config: pytest.Config) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    notice_dead_servers()
    pool = variant(config.getoption("--variant"))
    put_in_place(pool)
    if config.getoption("--way") == "lent":
        lend(pool)
    config.pluginmanager.register(Recorder(config.getoption("--record"), pool))


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # a pipe on which nothing is written; it ends when the parent does
    os.killpg(0, signal.SIGINT)  # pytest and its servers


class Recorder:
    """Writes one JSON object a line, see outcomes.py."""

    def __init__(self, path: str, pool: Variant) -> None:
        self._file = Path(path).open("w", buffering=1)  # noqa: SIM115  # until the process ends, however it does
        self._pool = pool

    def _write(self, **what: Any) -> None:
        self._file.write(json.dumps(what) + "\n")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write(test=report.nodeid, outcome="failed", error=_last_line(report))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for module in {item.module for item in session.items}:
            put_into_module(module, self._pool)
        self._write(collected=[item.nodeid for item in session.items])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._write(began=nodeid)
        watch()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:  # now, because a later test may end the process
            print(f"\n{report.nodeid}\n{report.longreprtext}", flush=True)
        if isinstance(report, pytest.SubtestReport):
            self._write(subtest=report.nodeid, outcome=report.outcome, error=_last_line(report))
        elif report.when == "call" or report.outcome != "passed":
            self._write(test=report.nodeid, outcome=report.outcome, error=_last_line(report))

    def pytest_runtest_logfinish(self) -> None:
        unwatch()
        self._write(made=self._pool.made)
        self._pool.made = 0


def _last_line(report: Any) -> str:
    return str(report.longrepr).rstrip().rpartition("\n")[2].strip() if report.failed else ""
