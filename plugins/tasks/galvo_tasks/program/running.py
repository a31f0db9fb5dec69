"""A worker, from its start to its end."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from celery import Celery

from galvo_tasks import scaling
from galvo_tasks.config.errors import UnknownClass
from galvo_tasks.config.preset import queue_name, worker_preset
from galvo_tasks.config.server import Server, named
from galvo_tasks.config.trap import Trap
from galvo_tasks.errors import TasksProblem
from galvo_tasks.program.shown import wrapped
from galvo_tasks.program.worker import Worker
from galvo_tasks.settings import RuntimeClass, settings_of


def run(
    app: Celery[Any],
    runtimes: Sequence[str],
    number: int,
    *,
    server: Server,
    traps: Sequence[Trap] = (),
    verbose: bool = False,
) -> int:
    """Until it is told to end; gives the exit code. `number`: tasks at once, 0 for what resources allow.

    Raises UnknownClass, and TasksProblem for classes that do not go together.
    """
    runtimes = list(dict.fromkeys(runtimes))
    classes_of(app, runtimes)
    app.conf.update(worker_preset(settings_of(app), str(app.conf.broker_url)))
    crew = scaling.Crew(app, runtimes, number)
    scaling.attach(crew)
    worker = Worker(
        app=app,
        hostname=f"{'+'.join(runtimes)}@{socket.gethostname()}",
        queues=[queue_name(str(app.main), runtime) for runtime in runtimes],
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        task_events=False,
        verbose=verbose,
        **scaling.options(crew),
    )
    worker.banner = banner(crew, server, traps)
    worker.start()
    return int(worker.exitcode or 0)


def classes_of(app: Celery[Any], runtimes: Sequence[str]) -> list[RuntimeClass]:
    """Raises UnknownClass, and TasksProblem when they want different pools."""
    known = settings_of(app).classes
    for runtime in runtimes:
        if runtime not in known:
            raise UnknownClass(f"--class {runtime}", known)
    found = [known[runtime] for runtime in runtimes]
    if len({one.pool for one in found}) > 1:
        pools = ", ".join(f"{name} {known[name].pool}" for name in runtimes)
        raise TasksProblem(f"one worker has one pool, and these classes want two ({pools}): start a worker for each")
    return found


def banner(crew: scaling.Crew, server: Server, traps: Sequence[Trap]) -> str:
    """A few lines that tell what it is and where it takes tasks from."""
    app, runtimes = crew.app, crew.runtimes
    tasks = [
        name
        for name, task in sorted(app.tasks.items())
        if getattr(task, "runtime", "") in runtimes and name[:7] != "celery."
    ]
    pool = "processes" if crew.processes else "threads"
    at_once = f"{crew.wanted.number} {pool} at most ({crew.wanted.why}), and what memory allows"
    lines = [
        f"galvo tasks worker: {app.main}, class {', '.join(runtimes)}",
        *wrapped(f"{named(str(app.conf.broker_url))} ({server.title})", first="  broker       "),
        *wrapped(at_once, first="  concurrency  "),
        *wrapped(_few(tasks), first="  tasks        "),
    ]
    for trap in traps:
        lines += wrapped(f"{trap.name}: {trap.text}", first="  warning      ")
    return "\n".join(lines)


def _few(names: Sequence[str]) -> str:
    """Without what their modules have in common with all the others."""
    if not names:
        return "none of this class: is the module that has them imported?"
    shown = ", ".join(name.rpartition(".")[2] for name in names[:MOST_SHOWN])
    return f"{shown} and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else shown


MOST_SHOWN = 8
