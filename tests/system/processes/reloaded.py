"""An application under load whose settings change all the time, at random; tells at its end what became of it.

`python -m tests.system.processes.reloaded FOLDER CHANGES SEED`, with DATABASE_URL and GALVO_CACHE__REDIS in the
environment. In FOLDER are entrypoints.toml and settings/.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import random
import signal
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil

from galvo import GalvoError, Kernel
from galvo_live.questions import NAME
from galvo_local import ask
from tests.system.oracle import SCHEMA, Oracle

ROWS = 12
READERS, WRITERS = 10, 3
BETWEEN = 20
"""Reads from one change to the next."""
OPTIONAL = ("cache", "index", "memory", "monitor")
VALID: dict[str, dict[str, list[Any]]] = {
    "pool": {"min_size": [1, 2, 4], "max_size": [6, 9, "auto"]},
    "cache": {
        "on": [True, True, True, False], "mode": ["active", "active", "shadow", "off"], "ttl": [5, 60],
        "l2": [True, False], "max_bytes": [100_000, 67_108_864],
    },
    "index": {"on": [True, True, False], "mode": ["active", "off"]},
    "memory": {"on": [True, True, False], "interval": [0.5, 5.0]},
    "monitor": {"on": [True, True, False], "interval": [0.5, 1.0]},
    "live": {"watch": [0, 0.25, 1]},
}  # fmt: skip
CONNECTIONS = "select count(*) from pg_stat_activity where datname = current_database() and random() >= 0"
INVALID = (
    "[cache\n",
    "[cache]\nttl = 'long'\n",
    "[cache]\ntttl = 1\n",
    "[cash]\non = true\n",
    "[pool]\nmin_size = 9\nmax_size = 2\n",
    "[pool]\nhosts = ['127.0.0.1:1']\n",
    "[pool]\nurl = 'postgresql://nobody@127.0.0.1:1/nowhere'\n",
    "\x00",
)


class Reloaded:
    def __init__(self, folder: Path, kernel: Kernel, seed: int) -> None:
        self.kernel = kernel
        self.random = random.Random(seed)
        self.oracle = Oracle(kernel, ROWS, seed)
        self.counts: Counter[str] = Counter()
        self.lost: list[str] = []
        self.surprises: list[str] = []
        self.seen: weakref.WeakSet[Any] = weakref.WeakSet()
        """Every instance of a plugin that has run."""
        self.hits = 0
        self._looked_at: tuple[Callable[[], Any], int] = (lambda: None, 0)
        self._file = folder / "settings/galvo.toml"

    def write(self, tables: dict[str, dict[str, Any]], more: str = "") -> None:
        lines = ["[tasks]\non = false", "[embedded]\non = false"]
        if "pool" in tables:
            tables = {**tables, "pool": {**tables["pool"], "url": os.environ["DATABASE_URL"]}}
        for name, table in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        self._file.write_text("\n".join([*lines, more]), "utf-8")

    async def work(self, do: Callable[[float], Awaitable[None]], pause: float) -> None:
        while not self.oracle.stop:
            try:
                await do(pause)
            except Exception as error:  # each is a query that was lost
                self.lost.append(f"{type(error).__name__}: {error}")

    def look(self) -> None:
        """Count the hits since the last look, or since the start of an instance that was not there then."""
        cache = self.kernel.supervisor.units["cache"].plugin
        if cache is not None:
            seen, before = self._looked_at
            hits = int(cache.stats()["hits"])
            self.hits += hits - (before if seen() is cache else 0)
            self._looked_at = weakref.ref(cache), hits

    async def change(self) -> None:
        """One, which may be refused only if it cannot work."""
        wanted = {
            name: {key: self.random.choice(values) for key, values in table.items()} for name, table in VALID.items()
        }
        kind = self.random.random()
        if kind < 0.25:
            name, what = self.random.choice(OPTIONAL), self.random.choice(("enable", "disable"))
            await self.asked(what, name, may_be_refused=False)
        elif kind < 0.5:
            bad = self.random.choice(INVALID)
            # A table that is there twice is no TOML: a bad one comes alone.
            self.write({} if bad.startswith("[") else wanted, bad)
            await self.asked("reload", "", may_be_refused=True)
        else:
            self.write(wanted)
            await self.asked("reload", "", may_be_refused=False)
        for unit in self.kernel.supervisor.units.values():
            if unit.plugin is not None:
                self.seen.add(unit.plugin)

    async def asked(self, what: str, name: str, *, may_be_refused: bool) -> None:
        way = self.random.choice(("signal", "socket", "control"))
        if what != "reload" and way == "signal":
            way = "socket"
        problem = await getattr(self, way)(what, name)
        self.counts[f"{what} by {way}"] += 1
        self.counts["refused" if problem else "done"] += 1
        if bool(problem) is not may_be_refused:
            self.surprises.append(f"{what} {name}: {problem or 'was not refused'}: {self._file.read_text('utf-8')!r}")

    async def signal(self, what: str, name: str) -> str:
        sent, changes = time.time(), self.kernel.control.changes
        os.kill(os.getpid(), signal.SIGHUP)
        while not (told := [one for one in changes if one.who == "SIGHUP" and one.at >= sent]):  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.001)
        return told[0].problem

    async def socket(self, what: str, name: str) -> str:
        question = json.dumps({"do": what, "name": name, "why": "at random"}).encode()
        return str(json.loads(await asyncio.to_thread(ask, NAME, os.getpid(), question, 60.0))["problem"])

    async def control(self, what: str, name: str) -> str:
        do = getattr(self.kernel.control, what)
        try:
            await (do(who="test") if what == "reload" else do(name, who="test"))
        except GalvoError as error:
            return str(error)
        return ""

    async def rest(self, most: dict[str, Any] | None = None) -> dict[str, Any]:
        """All plugins as they are by default, nobody asks: what is held then, once it is no more than `most`."""
        default: dict[str, dict[str, Any]] = {name: {"on": True} for name in VALID}
        default["pool"] |= {"min_size": 2, "max_size": 2}
        self.write(default)
        await self.kernel.control.reload(who="test")
        for name in OPTIONAL:
            await self.kernel.control.enable(name, who="test")
        self.write({name: {**table, "required": False} for name, table in default.items()})
        await self.kernel.control.reload(who="test")  # whatever a change before has left is thrown away
        process, before = psutil.Process(), dict[str, Any]()
        for _ in range(300):
            gc.collect()
            cache = self.kernel.plugin_stats("cache")
            held = {
                "tasks": len(asyncio.all_tasks()),
                # Those that wait for work are taken leave of some time later.
                "threads": len(
                    [one for one in threading.enumerate() if not one.name.startswith(("asyncio_", "AnyIO"))]
                ),
                "fds": process.num_fds(),
                "connections": await self.kernel.fetchval(CONNECTIONS),
                "pending_remote": cache.get("pending_remote", 0),
            }
            quiet = held == before if most is None else all(value <= most[key] for key, value in held.items())
            if quiet and cache.get("shares"):  # it has heard what is pending
                break
            before = held
            await asyncio.sleep(0.1)
        return held | {"rss": process.memory_info().rss}


async def main(folder: Path, changes: int, seed: int) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    began, rss = time.monotonic(), list[int]()
    async with Kernel.from_settings(folder) as kernel:
        await kernel.execute(SCHEMA.format(rows=ROWS))
        app = Reloaded(folder, kernel, seed)
        for _ in range(2):
            before = await app.rest()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(READERS):
                tasks.create_task(app.work(app.oracle.read, 0.01))
            for _ in range(WRITERS):
                tasks.create_task(app.work(app.oracle.write, 0.03))
            for number in range(changes):
                enough = app.oracle.counts["reads"] + BETWEEN
                while app.oracle.counts["reads"] < enough and len(app.lost) < 100:  # noqa: ASYNC110  # it has no event
                    await asyncio.sleep(0.002)
                app.look()
                await app.change()
                if number % 50 == 49:
                    rss.append(psutil.Process().memory_info().rss)
                    print(number + 1, round(time.monotonic() - began), rss[-1] >> 20, file=sys.stderr, flush=True)
            app.oracle.stop = True
        after = await app.rest(before)
        gc.unfreeze()
        gc.collect()
        running = {id(unit.plugin) for unit in kernel.supervisor.units.values()}
        told = {
            "queries": app.oracle.counts,
            "changes": app.counts,
            "lost": app.lost[:20],
            "wrong": app.oracle.stale[:20],
            "surprises": app.surprises[:20],
            "before": before,
            "after": after,
            "rss": rss,
            "left": sorted(type(plugin).__name__ for plugin in app.seen if id(plugin) not in running),
            "faults": {info["name"]: info["last_fault"] for info in kernel.plugins() if info["faults"]},
            "hits": app.hits,
            "asked": changes * BETWEEN,
            "seconds": time.monotonic() - began,
        }
    told["tasks left"] = len(asyncio.all_tasks()) - 1
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
