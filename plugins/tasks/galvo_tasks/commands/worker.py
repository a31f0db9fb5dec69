"""`galvo tasks worker`: runs the tasks of one runtime class or more."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from typing import Any

import anyio
from celery import Celery

from galvo import Kernel
from galvo_tasks.app import EMBEDDED, bind, read, settings_of
from galvo_tasks.config.preset import queue_name
from galvo_tasks.errors import NoBroker, TasksProblem
from galvo_tasks.plugin import loaded
from galvo_tasks.program.logs import quiet
from galvo_tasks.program.worker import Worker


def main(argv: Sequence[str]) -> int:
    """0: ended by Ctrl-C or SIGTERM; 1: failed, or tasks were cut short. Raises TasksProblem and SettingsError."""
    options = parser().parse_args(argv)
    sys.path.insert(0, os.getcwd())
    settings = read()
    path = options.app or settings.app
    if not path:
        raise TasksProblem('no application: set app = "package.module:name" under [tasks], or --app')
    app = loaded(path)
    known = settings_of(app).classes
    for runtime in options.runtime:
        if runtime not in known:
            raise TasksProblem(f"no runtime class {runtime!r}: there are {', '.join(known)}")
    if settings.broker.get_secret_value() == EMBEDDED:
        bind(app, anyio.run(_embedded))
    return run(app, options.runtime, options.concurrency or 1, verbose=options.verbose)


def run(app: Celery[Any], runtimes: Sequence[str], number: int, *, verbose: bool = False) -> int:
    """Until it is told to end; gives the exit code."""
    quiet(verbose=verbose)
    worker = Worker(
        app=app,
        hostname=f"{'+'.join(runtimes)}@{socket.gethostname()}",
        queues=[queue_name(str(app.main), runtime) for runtime in runtimes],
        concurrency=number,
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        task_events=False,
    )
    worker.banner = f"galvo tasks worker: {', '.join(runtimes)}"
    worker.start()
    return int(worker.exitcode or 0)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="galvo tasks worker", description="Run the tasks of a runtime class.")
    text = "runtime class; may be repeated: the first one's tasks go first"
    made.add_argument("--class", dest="runtime", action="append", required=True, metavar="NAME", help=text)
    made.add_argument("--app", default="", help="package.module:name; default: app under [tasks]")
    made.add_argument("--concurrency", type=int, default=0, metavar="N", help="tasks at once, at most")
    made.add_argument("--verbose", action="store_true", help="log each task's begin and end")
    return made


async def _embedded() -> str:
    async with Kernel.from_settings() as kernel:
        servers = kernel.find_capability("servers")
        if servers is None:
            raise NoBroker('broker = "embedded" needs the plugin embedded: set [embedded] on = true')
        return str(await servers.redis())
