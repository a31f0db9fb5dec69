"""`galvo tasks check`: what of the application's tasks is known to go wrong."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

import msgspec

from galvo_tasks.config.check import check
from galvo_tasks.config.server import Server, server
from galvo_tasks.errors import NoBroker
from galvo_tasks.program.application import application
from galvo_tasks.program.shown import wrapped

BAD = 3
"""Exit code: no worker starts with what was found."""


def main(argv: Sequence[str]) -> int:
    """0: nothing is in the way of a worker; 3: something is. Raises GalvoError."""
    options = parser().parse_args(argv)
    with application(options.app) as app:
        said, away = _asked(str(app.conf.broker_url)) if not options.offline else (None, "")
        traps = check(app, said)
        name, tasks = str(app.main), sum(not task.startswith("celery.") for task in app.tasks)
    fatal = sum(trap.fatal for trap in traps)
    if options.json:
        print(json.dumps({"traps": msgspec.to_builtins(traps), "server": said and said.title, "away": away or None}))
        return BAD if fatal else 0
    for trap in traps:
        print("\n".join(wrapped(f"{trap.name}: {trap.text}", first="refused  " if trap.fatal else "warning  ")))
    if away:
        print("\n".join(wrapped(f"{away}; what its server does was not looked at", first="warning  ")))
    at = f", {said.title}" if said else ""
    what = f"{fatal} in the way of a worker, {len(traps) - fatal} more" if traps else "no known trap"
    print(f"{name}: {tasks} {'task' if tasks == 1 else 'tasks'}{at}: {what}")
    return BAD if fatal else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo tasks check",
        description="Tell what of an application's tasks, settings and broker is known to go wrong.",
        epilog="Exit code 3: no worker would start with it.",
    )
    made.add_argument("--app", default="", help="package.module:name; default: app under [tasks]")
    made.add_argument("--offline", action="store_true", help="do not ask the broker's server")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def _asked(url: str) -> tuple[Server | None, str]:
    try:
        return server(url), ""
    except NoBroker as error:
        return None, str(error)
