"""`galvo status`: what a running process's monitor has to say, once."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

import galvo_local
from galvo import GalvoError
from galvo_local import printable
from galvo_monitor.asking.asking import Ended, NoAnswer, ask, owners, processes
from galvo_monitor.terminal.printing import console
from galvo_monitor.view import View

BAD = 3
"""Exit code: it is critical."""
MOST = 64
"""Processes that are asked; one's own come first."""


def main(argv: Sequence[str]) -> int:
    """0: it is not critical; 1: one could not be asked; 2: wrong usage; 3: one is critical."""
    options = parser().parse_args(argv)
    try:
        process = given(options)
        whose = owners() if process else processes()
        views, problems = _asked([process] if process else list(whose), whose)
        if options.json and views:
            told = [{**msgspec.to_builtins(view), "user": whose.get(view.pid, "")} for view in views]
            sys.stdout.write(json.dumps(told if len(told) > 1 else told[0]) + "\n")
        elif views:
            _show(views, whose, named=bool(process))
    except GalvoError as error:
        views, problems = [], [str(error)]
    for problem in problems:
        sys.stderr.write(f"galvo: {printable(problem)}\n")
    if any(view.status == "critical" for view in views):
        return BAD
    return 1 if problems else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo status",
        description="Show how a running process is: verdict, alerts, insights, numbers.",
        epilog="Exit code 3: it is critical; 1: one that should answer does not.",
    )
    name(made, "of the process; default: the one in this folder, or the only one; of several a line for each")
    made.add_argument("--json", action="store_true", help="print JSON: a list when several processes are asked")
    return made


def name(parser: argparse.ArgumentParser, text: str) -> None:
    """A process may be named as here and as in the commands that change one."""
    parser.add_argument("pid", nargs="?", type=galvo_local.pid_of, metavar="PID", help=text)
    parser.add_argument("--pid", dest="named", type=galvo_local.pid_of, metavar="PID", help="the same")


def given(options: argparse.Namespace) -> int | None:
    """The process that is named, if one is."""
    found: int | None = options.named or options.pid
    return found


def _asked(pids: Sequence[int], whose: Mapping[int, str]) -> tuple[list[View], list[str]]:
    """What they answer, and why some do not. All at once: each that does not takes seconds."""
    views, problems = [], []
    with ThreadPoolExecutor(MOST) as threads:
        for process, told in zip(pids, threads.map(_one, pids[:MOST]), strict=False):
            if isinstance(told, View):
                views.append(told)
            elif len(pids) == 1 or not isinstance(told, Ended):
                problems.append(f"{told} (user {user})" if (user := whose.get(process)) else str(told))
    if len(pids) > MOST:
        problems.append(f"{len(pids) - MOST} more processes were not asked: name one")
    if not views and not problems:
        problems.append("the processes that could be asked have just ended")
    return views, problems


def _one(process: int) -> View | NoAnswer:
    try:
        return ask(process)
    except NoAnswer as error:
        return error


def _show(views: Sequence[View], whose: Mapping[int, str], *, named: bool) -> None:
    from galvo_monitor.terminal.frame import frame, line

    screen = console()
    if len(views) == 1:
        [view] = views
        screen.print(frame(view, time.time(), note=note(view.pid, whose.get(view.pid, ""), named=named)))
        return
    for view in views:
        screen.print(line(view, whose.get(view.pid, "")))


def note(process: int, user: str, *, named: bool) -> str:
    """Another user may say what he likes; and one that was not named may be another than was meant."""
    said = f"This is what a process of user {user} says." if user else ""
    place = "" if named else galvo_local.elsewhere(process)
    return " ".join(part for part in (said, place and f"It runs in {place}.") if part)
