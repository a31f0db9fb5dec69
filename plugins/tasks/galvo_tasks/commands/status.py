"""`galvo tasks status`: what waits, who works, and why so many at once."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from galvo_tasks.broker.depths import Depth, depths
from galvo_tasks.config.preset import queue_name
from galvo_tasks.config.server import named
from galvo_tasks.errors import NoBroker
from galvo_tasks.program.application import application
from galvo_tasks.scaling.asking import workers
from galvo_tasks.scaling.protocol import WorkerState
from galvo_tasks.scaling.shown import lines
from galvo_tasks.settings import settings_of


def main(argv: Sequence[str]) -> int:
    """0: told; 1: the broker is away. Raises GalvoError."""
    made = argparse.ArgumentParser(
        prog="galvo tasks status",
        description="What waits in the broker, and the workers of this machine: how many tasks each runs at once, and "
        "why.",
        epilog="Exit code 1: the broker cannot be asked.",
    )
    made.add_argument("--app", default="", metavar="PATH", help="package.module:name; default: app under [tasks]")
    made.add_argument("--json", action="store_true", help="for programs")
    options = made.parse_args(argv)
    with application(options.app) as app:
        queues = {queue_name(str(app.main), name): name for name in settings_of(app).classes}
        waiting, problem = _waiting(str(app.conf.broker_url), queues)
        found = list(workers(str(app.main), named(str(app.conf.broker_url))))
    here = [one for one in found if isinstance(one, WorkerState)]
    problems = [*([problem] if problem else []), *(one for one in found if isinstance(one, str))]
    if options.json:
        print(json.dumps(_plain(waiting, here, problems), indent=2))
    else:
        print("\n".join(lines(waiting, here, problems)))
    return int(bool(problem))


def _waiting(url: str, queues: dict[str, str]) -> tuple[list[Depth], str]:
    """With the classes' names for those of their queues; or what is wrong."""
    try:
        found = depths(url, list(queues))
    except NoBroker as error:
        return [], str(error)
    return [msgspec.structs.replace(one, queue=queues[one.queue]) for one in found], ""


def _plain(waiting: Sequence[Depth], here: Sequence[WorkerState], problems: Sequence[str]) -> dict[str, Any]:
    return {
        "queues": [
            {
                "class": one.queue,
                "priority": one.priority.name.lower() if one.priority is not None else None,
                "tasks": one.tasks,
                "oldest": one.oldest,
            }
            for one in waiting
        ],
        "workers": [msgspec.to_builtins(one) for one in here],
        "problems": list(problems),
    }
