"""SQLAlchemy's plugin for pytest, and a record of what became of each test."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy.testing.plugin import pytestplugin as theirs  # noqa: E402
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403

RANK = ("passed", "skipped", "failed")
OUTCOMES: dict[str, str] = {}
ERRORS: dict[str, str] = {}
READS = 0


def pytest_addoption(parser: Any) -> None:
    theirs.pytest_addoption(parser)
    parser.addoption("--record", help="where to write the outcomes")


def pytest_sessionstart(session: Any) -> None:
    from sqlalchemy.dialects.postgresql import provision

    from galvo_sqlalchemy.connection import Connection

    provision._extensions.clear()  # the embedded server has none, and these tests need none
    read = Connection.read

    async def counted(self: Connection, *args: Any) -> Any:
        global READS
        answer = await read(self, *args)
        READS += answer is not None
        return answer

    Connection.read = counted
    theirs.pytest_sessionstart(session)


def pytest_runtest_logreport(report: Any) -> None:
    """A test is heard of several times, for setup, call and teardown: the worst counts."""
    before = OUTCOMES.get(report.nodeid, "passed")
    OUTCOMES[report.nodeid] = max(before, report.outcome, key=RANK.index)
    if report.outcome == "failed":
        ERRORS.setdefault(report.nodeid, str(report.longrepr).strip().splitlines()[-1])


def pytest_sessionfinish(session: Any) -> None:
    theirs.pytest_sessionfinish(session)
    if path := session.config.option.record:
        with open(path, "w") as file:
            json.dump({"tests": OUTCOMES, "errors": ERRORS, "reads": READS}, file)
