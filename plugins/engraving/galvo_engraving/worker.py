"""`python -m galvo_engraving.worker --mode plain|pool|full --url DSN`: one mode in a process of its own.

Commands come as JSON lines on stdin, each gets one JSON line on stdout:

    {"run": {"seconds": 2, "clients": 16, "seed": 3}}     or "requests" per client instead of "seconds"
    {"audit": {...}}                                      the same, re-checking every cache hit
    {"stop": true}

The end of stdin ends it at once: a parent that was killed leaves no worker behind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from galvo_engraving import workload
from galvo_engraving.modes import MODES, Backend, Mode, open_mode
from galvo_engraving.world import World

URL_VARIABLE = "ENGRAVING_URL"
"""Instead of --url, which everybody on the machine can read in the list of processes."""
GRACE = 5.0
"""Seconds to clean up after the end of stdin."""


async def main(mode: Mode, url: str) -> int:
    lines: asyncio.Queue[str] = asyncio.Queue()
    work = asyncio.create_task(_serve(mode, url, lines))
    reading = asyncio.create_task(_read(lines, work))
    try:
        await work
    except asyncio.CancelledError:
        return 0
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent shows it
        _say({"error": f"{type(error).__name__}: {error}"})
        return 1
    finally:
        reading.cancel()
    return 0


async def _read(lines: asyncio.Queue[str], work: asyncio.Task[None]) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while line := await reader.readline():
            lines.put_nowait(line.decode())
        # Nobody is left to wait for a graceful end that hangs.
        loop.call_later(GRACE, os._exit, 1)
        work.cancel()
    finally:
        pipe.close()


async def _serve(mode: Mode, url: str, lines: asyncio.Queue[str]) -> None:
    async with open_mode(mode, url) as backend:
        world = await World.read(backend.db)
        _say({"ready": mode, "pid": os.getpid()})
        while True:
            command: dict[str, Any] = json.loads(await lines.get())
            if "run" in command:
                _say(await _run(backend, world, command["run"]))
            elif "audit" in command:
                backend.verify(1.0)
                _say(await _run(backend, world, command["audit"]))
                backend.verify(0.0)
            elif "stop" in command:
                return
            else:
                _say({"error": f"a command is run, audit or stop, not {', '.join(command) or 'nothing'}"})


async def _run(backend: Backend, world: World, arguments: dict[str, Any]) -> dict[str, Any]:
    counters, cpu = backend.counters(), _cpu_seconds()
    outcome = await workload.run(backend.db, world, **arguments)
    answer: dict[str, Any] = {
        "requests": outcome.requests,
        "writes": outcome.writes,
        "errors": outcome.errors,
        "first_error": outcome.first_error,
        "stale": outcome.stale,
        "queries": outcome.queries,
        "database_queries": outcome.queries,
        "seconds": outcome.seconds,
        "cpu_seconds": _cpu_seconds() - cpu,
        "peak_rss_mib": peak_rss_mib(),
        "histogram": outcome.latencies.buckets(),
    }
    return answer | {name: now - counters.get(name, 0) for name, now in backend.counters().items()}


def peak_rss_mib() -> float:
    """The most memory this program ever held, in MiB."""
    # Linux lets a new program inherit its parent's peak in getrusage, but not in /proc.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m galvo_engraving.worker")
    parser.add_argument("--mode", choices=MODES, required=True)
    parser.add_argument("--url", default=os.environ.get(URL_VARIABLE), help=f"or {URL_VARIABLE}")
    options = parser.parse_args()
    if not options.url:
        parser.error(f"no database: give --url or set {URL_VARIABLE}")
    with suppress(BrokenPipeError):
        sys.exit(asyncio.run(main(options.mode, options.url)))
