from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from galvo_engraving.demo.lanes import LANES, Lane, worker
from galvo_engraving.histogram import Histogram

pytestmark = pytest.mark.anyio
PLAIN = LANES[0]


@asynccontextmanager
async def started(dsn: str, mode: str = "plain") -> AsyncIterator[Process]:
    command = (sys.executable, "-m", "galvo_engraving.worker", "--mode", mode, "--url", dsn)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def answer(process: Process, **command: Any) -> Any:
    assert process.stdin
    assert process.stdout
    if command:
        process.stdin.write(json.dumps(command).encode() + b"\n")
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 30))


async def test_it_runs_what_it_is_told(shop: str) -> None:
    async with started(shop) as process:
        assert await answer(process) == {"ready": "plain", "pid": process.pid}
        first = await answer(process, run={"requests": 20, "clients": 4, "seed": 3})
        assert first["requests"] == Histogram(first["histogram"]).count == 80
        assert first["queries"] == first["database_queries"] >= 80
        assert (first["errors"], first["stale"]) == (0, 0)
        assert 10 < first["peak_rss_mib"] < 500
        assert first["cpu_seconds"] > 0
        second = await answer(process, run={"requests": 20, "clients": 4, "seed": 3})
        assert (second["requests"], second["queries"]) == (first["requests"], first["queries"])
        assert "a command is run" in (await answer(process, dance=True))["error"]
        assert process.stdin
        process.stdin.write(b'{"stop": true}\n')
        assert await asyncio.wait_for(process.wait(), 10) == 0


@pytest.mark.parametrize("busy", [False, True])
async def test_it_ends_when_stdin_does(shop: str, busy: bool) -> None:
    async with started(shop) as process:
        await answer(process)
        assert process.stdin
        if busy:
            process.stdin.write(b'{"run": {"seconds": 600, "clients": 4}}\n')
            await asyncio.sleep(0.3)
            assert process.returncode is None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_it_ends_when_its_parent_is_killed(shop: str) -> None:
    parent_code = (
        "import subprocess, sys, time;"
        "p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True);"
        'p.stdin.write(b\'{"run": {"seconds": 600}}\\n\'); p.stdin.flush(); time.sleep(600)'
    )
    command = (sys.executable, "-m", "galvo_engraving.worker", "--mode", "plain", "--url", shop)
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", parent_code, *command, stdout=PIPE)
    assert parent.stdout
    pid = json.loads(await asyncio.wait_for(parent.stdout.readline(), 30))["pid"]
    os.kill(pid, 0)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    # Its stdout is ours too: the end of it is the end of the worker.
    assert await asyncio.wait_for(parent.stdout.read(), 10) == b""


async def test_a_database_without_the_shop_is_refused(dsn: str) -> None:
    async with started(dsn) as process:
        assert "UndefinedTableError" in (await answer(process))["error"]
        assert await asyncio.wait_for(process.wait(), 10) == 1


async def test_the_demos_side_of_it(shop: str) -> None:
    async with worker(PLAIN, shop) as crew:
        result = await crew.ask(run={"requests": 5, "clients": 2, "seed": 1})
        assert result["requests"] == 10


async def test_a_worker_that_dies_is_reported(shop: str) -> None:
    from galvo import GalvoError

    async with worker(PLAIN, shop) as crew:
        with pytest.raises(GalvoError, match="plain asyncpg failed: ValueError: plain asyncpg has no cache"):
            await crew.ask(audit={"requests": 5, "clients": 2})
        with pytest.raises(GalvoError, match="it ended without a word"):
            await crew.ask(run={"requests": 5})


@pytest.mark.parametrize("lane", LANES[2:], ids=lambda lane: lane.name)
async def test_galvo_gives_the_same_requests(shop: str, lane: Lane) -> None:
    arguments = {"requests": 50, "clients": 4, "seed": 3}
    async with worker(PLAIN, shop) as crew:
        plain = await crew.ask(run=arguments)
    async with worker(lane, shop) as crew:
        galvo = await crew.ask(run=arguments)
        assert galvo["first_error"] == ""
        assert (galvo["requests"], galvo["queries"]) == (plain["requests"], plain["queries"])
        assert galvo["stale"] == 0
        if lane.mode == "pool":
            assert galvo["database_queries"] == plain["database_queries"]
        else:
            assert galvo["hits"] > 0
            audit = await crew.ask(audit=arguments)
            assert audit["wrong"] == 0
            assert audit["verified"] > 0
