"""`python -m tests.plugins.tasks.scaling.forking N`: forks N times while a governor's loop is at work, and prints what
went wrong.

The loop imports, logs, writes, talks through sockets and has threads do the same; each child does all of that, too.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import select
import sqlite3
import ssl
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from galvo import Plugin
from galvo_tasks.running.loop import LoopThread
from galvo_tasks.scaling.forks import standstill
from galvo_tasks.scaling.governor import Governor

MODULES = ("colorsys", "this_is_not_there", "chunk")
LOST = 3.0
"""Seconds after which a child hangs."""
log = logging.getLogger("forking")
rounds = {"talk": 0, "work": 0}


class Busy(Plugin):
    name = "busy"

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            for work in (self._talk, self._work, self._elsewhere):
                tasks.start_soon(work)
            yield
            tasks.cancel_scope.cancel()

    async def _talk(self) -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(100):
                writer.write(data)
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            while True:
                writer.write(b"ping")
                if await reader.readexactly(4) != b"ping":
                    raise RuntimeError("something else came back")
                rounds["talk"] += 1

    async def _work(self) -> None:
        while True:
            use_everything()
            rounds["work"] += 1
            await asyncio.sleep(0.002)

    async def _elsewhere(self) -> None:
        limiter = anyio.CapacityLimiter(2)
        async with anyio.create_task_group() as tasks:
            for run in (asyncio.to_thread, lambda work: anyio.to_thread.run_sync(work, limiter=limiter)):
                tasks.start_soon(self._again, run)

    async def _again(self, run: Callable[..., Any]) -> None:
        while True:
            await run(use_everything)
            await asyncio.sleep(0.02)


def use_everything() -> None:
    """Takes the locks that a process has: of modules, handlers, streams, sqlite, OpenSSL."""
    for module in MODULES:
        sys.modules.pop(module, None)
        try:
            importlib.import_module(module)
        except (ImportError, KeyError):  # KeyError: another thread has just taken it out
            log.debug("%s is not here", module)
    log.warning("%s", "x" * 200)
    with sqlite3.connect(":memory:") as database:
        database.execute("select sum(value) from json_each('[1, 2, 3]')").fetchone()
    database.close()
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def child(governor: Governor) -> int:
    """0, or what is wrong."""
    use_everything()
    if os.getpid() % 8 == 0:
        gc.collect()
    sys.stderr.write("y\n")
    if governor.kernel is not None:
        return 2
    governor.standstill.loop.call_soon_threadsafe(print, "never")
    for key in list(governor.standstill.loop._selector.get_map().values()):  # type: ignore[attr-defined]
        governor.standstill.loop._remove_reader(key.fd)  # type: ignore[attr-defined]  # would be the parent's, too
    thread = LoopThread("child")
    thread.start()
    if thread.call(asyncio.sleep(0, 7), 3) != 7:
        return 3
    thread.stop()
    return 0 if threading.active_count() == 1 else 4


def ended(pid: int) -> int:
    """Its exit code; -1 when it hangs, which ends it."""
    descriptor = os.pidfd_open(pid)
    try:
        if not select.select([descriptor], [], [], LOST)[0]:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            return -1
    finally:
        os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(number: int) -> None:
    logging.basicConfig(level=logging.WARNING)
    standstill.PATIENCE = 30.0
    governor = Governor(Path(), Busy)
    governor.start()
    while not rounds["talk"] or not rounds["work"]:
        time.sleep(0.001)
    codes: dict[int, int] = {}
    start = time.perf_counter()
    longest = 0.0
    for _ in range(number):
        began = time.perf_counter()
        pid = os.fork()
        if not pid:
            code = 5
            try:
                code = child(governor)
            except Exception:
                log.exception("in a child")
            finally:
                os._exit(code)
        longest = max(longest, time.perf_counter() - began)
        code = ended(pid)
        codes[code] = codes.get(code, 0) + 1
        if code:
            break
    before = dict(rounds)
    end = time.monotonic() + 5
    while (rounds["talk"] == before["talk"] or rounds["work"] == before["work"]) and time.monotonic() < end:
        time.sleep(0.001)
    lives = rounds["talk"] > before["talk"] and rounds["work"] > before["work"]
    print(f"codes {codes} late {governor.standstill.late} lives {lives}", flush=True)
    print(f"{number} in {time.perf_counter() - start:.0f} s, longest fork {longest:.3f} s, {rounds}", flush=True)
    if not lives:
        os._exit(1)
    governor.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]))
