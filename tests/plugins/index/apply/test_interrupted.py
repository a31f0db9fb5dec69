"""Whatever ends a run, at whatever step: the next one leaves no INVALID index, and the journal is true."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from galvo import GalvoError
from galvo_embedded import Servers
from galvo_index.apply.run import apply
from galvo_index.apply.undo import undo
from tests.plugins.index.apply.kills import QUICK, Steps, check, wishes

LONG = "GALVO_INDEX_LONG" in os.environ  # read before conftest.py clears such variables
MODES = [False, True] if LONG else [True]
"""Ends before a statement, which is after the one before; or while it runs."""
pytestmark = pytest.mark.anyio


@pytest.fixture
def child(dsn: str, project: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.plugins.index.apply.child", dsn]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project, env=os.environ
    ) as process:
        yield process
        process.stdin.close()  # type: ignore[union-attr]


async def ask(child: subprocess.Popen[str], what: str, at: int, during: bool) -> int:
    """Gives the signal that ended the fork, 0 when it went to its end."""
    assert child.stdin
    assert child.stdout
    print(what, at, during, file=child.stdin, flush=True)
    return os.waitstatus_to_exitcode(int(await asyncio.to_thread(child.stdout.readline)))


@pytest.mark.parametrize("what", ["apply", "undo"])
@pytest.mark.parametrize("during", MODES)
async def test_the_tool_killed_at_each_step(
    dsn: str, connection: asyncpg.Connection, child: subprocess.Popen[str], what: str, during: bool
) -> None:
    kills = 0
    while True:
        if what == "undo":
            await apply(lambda: asyncpg.connect(dsn), wishes(), QUICK)
        ended = await ask(child, what, kills, during)
        if ended == 0:
            break
        assert ended == -9
        kills += 1
        await apply(lambda: asyncpg.connect(dsn), [], QUICK)
        await check(connection)
        await undo(lambda: asyncpg.connect(dsn), QUICK)
        await check(connection)
    assert kills >= (9 if what == "apply" else 6)


@pytest.mark.parametrize("what", ["apply", "undo"] if LONG else ["apply"])
@pytest.mark.parametrize("during", MODES)
async def test_the_backend_terminated_at_each_step(
    dsn: str, connection: asyncpg.Connection, what: str, during: bool
) -> None:
    steps = Steps()

    async def end(victim: asyncpg.Connection) -> None:
        pid = victim.get_server_pid()
        await connection.execute("select pg_terminate_backend($1, 10000)", pid)

    kills = 0
    while True:
        if what == "undo":
            await apply(lambda: asyncpg.connect(dsn), wishes(), QUICK)
        steps = Steps(kills, during=during, end=end)
        if what == "apply":
            await apply(partial(steps.connect, dsn), wishes(), QUICK)
        else:
            try:
                await undo(partial(steps.connect, dsn), QUICK)
            except (GalvoError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await apply(lambda: asyncpg.connect(dsn), [], QUICK)
        await check(connection)  # `apply` has cleaned up at once
        if len(steps.seen) <= kills:
            break
        kills += 1
        await undo(lambda: asyncpg.connect(dsn), QUICK)
    assert kills >= (9 if what == "apply" else 6)


def kill_postmaster(data: str) -> None:
    os.kill(int(Path(data, "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


@pytest.mark.parametrize("at", range(9) if LONG else [2])
async def test_the_server_killed_at_a_step(
    own_servers: Servers, own_url: str, own_connection: asyncpg.Connection, at: int
) -> None:
    async def end(_: asyncpg.Connection) -> None:
        kill_postmaster(await own_connection.fetchval("show data_directory"))

    steps = Steps(at, during=True, end=end)
    await apply(partial(steps.connect, own_url), wishes(), QUICK)
    assert len(steps.seen) > at
    url = await own_servers.postgres()
    await apply(lambda: asyncpg.connect(url), [], QUICK)
    connection = await asyncpg.connect(url)
    await check(connection)
    await connection.close()
