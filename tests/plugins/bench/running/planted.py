"""Subjects that behave badly, each in its own way. `python planted.py ARGUMENTS...` is `galvo bench` with them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path

import asyncpg

from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand
from galvo_bench.running.subjects import SUBJECTS, Subject
from galvo_bench.running.tied import tied

WAITING = "waiting with"
"""On stderr, before the process id of a child, once a subject waits."""


async def quick(stand: Stand) -> list[Section]:
    """Two things counted."""
    return [Section("quick", "Counted", "By hand.", [Values("things", {"count": 2})], exact=True)]


async def slow(stand: Stand) -> list[Section]:
    """Uses a server and a process of its own, and ends when it is told to."""
    await stand.redis()
    waits()
    await asyncio.Event().wait()
    return []


async def held(stand: Stand) -> list[Section]:
    """Its process ends with this one."""
    waits(tied())
    await asyncio.Event().wait()
    return []


def waits(prepare: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", "import time; time.sleep(600)"]
    child = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=prepare
    )
    print(WAITING, child.pid, file=sys.stderr, flush=True)
    return child


async def stubborn(stand: Stand) -> list[Section]:
    """Does not care about being told."""
    with suppress(asyncio.CancelledError):
        await slow(stand)
    return await quick(stand)


async def stuck(stand: Stand) -> list[Section]:
    """Holds the event loop."""
    child = waits()
    child.wait()
    return []


async def wrong(stand: Stand) -> list[Section]:
    raise ValueError("who knows  s3cret,\n and host")


async def full(stand: Stand) -> list[Section]:
    Path("/dev/full").write_text("too much")  # noqa: ASYNC240  # it fails at once
    return []


async def server_full(stand: Stand) -> list[Section]:
    connection = await asyncpg.connect(await stand.postgres())
    try:
        await connection.execute("do $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$")
    finally:
        await connection.close()
    return []


async def nothing(stand: Stand) -> list[Section]:
    return [Section("nothing", "Divided", "By zero.", [Values("things", {"count": float("nan")})])]


async def served(stand: Stand) -> list[Section]:
    """Needs a Redis."""
    await stand.redis()
    return await quick(stand)


def plant(subjects: MutableMapping[str, Subject]) -> None:
    sys.modules["galvo_bench.planted"] = sys.modules[__name__]
    for function in (quick, served, slow, held, stubborn, stuck, wrong, full, server_full, nothing):
        name = function.__name__
        subjects[name] = Subject(name, "planted", f"planted:{name}", disk=1)
    subjects["huge"] = Subject("huge", "planted", "planted:quick", disk=10**9)


if __name__ == "__main__":
    from galvo.cli import main

    plant(SUBJECTS)
    sys.exit(main(["bench", *sys.argv[1:]]))
