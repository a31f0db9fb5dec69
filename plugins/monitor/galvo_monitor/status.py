"""`galvo status`: what a running process's monitor has to say, once."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

import msgspec

from galvo import GalvoError
from galvo_monitor.asking.asking import NoAnswer, ask, processes
from galvo_monitor.terminal.figures import printable
from galvo_monitor.terminal.printing import console
from galvo_monitor.view import View

BAD = 3
"""Exit code: it is critical."""


def main(argv: Sequence[str]) -> int:
    """0: it is not critical; 1: it could not be asked; 2: wrong usage; 3: it is critical."""
    options = parser().parse_args(argv)
    try:
        views = [ask(options.pid)] if options.pid else _all()
        if options.json:
            told = [msgspec.to_builtins(view) for view in views]
            sys.stdout.write(json.dumps(told if len(told) > 1 else told[0]) + "\n")
        else:
            _show(views)
    except GalvoError as error:
        sys.stderr.write(f"galvo: {printable(str(error))}\n")
        return 1
    return BAD if any(view.status == "critical" for view in views) else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo status",
        description="Show how a running process is: verdict, alerts, insights, numbers.",
        epilog="Exit code 3: it is critical.",
    )
    text = "of the process; default: the one that runs the monitor plugin, or a line for each when several do"
    made.add_argument("pid", nargs="?", type=pid, metavar="PID", help=text)
    made.add_argument("--json", action="store_true", help="print JSON: a list when several processes are asked")
    return made


def pid(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 31):
        raise argparse.ArgumentTypeError(f"{text!r} is no process id")
    return int(text)


def _all() -> list[View]:
    """Of those that answer. Raises NoAnswer when none does."""
    views: list[View] = []
    problem: NoAnswer | None = None
    for one in processes():
        try:
            views.append(ask(one))
        except NoAnswer as error:
            problem = error
    if problem and not views:
        raise problem
    return views


def _show(views: Sequence[View]) -> None:
    from galvo_monitor.terminal.frame import frame, line

    screen = console()
    if len(views) == 1:
        screen.print(frame(views[0], time.time()))
        return
    for view in views:
        screen.print(line(view))
