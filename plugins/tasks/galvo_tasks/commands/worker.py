"""`galvo tasks worker`: runs the tasks of one runtime class or more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from galvo_tasks.config.check import check
from galvo_tasks.config.trap import Trap
from galvo_tasks.program.application import application
from galvo_tasks.program.awaiting import awaited, ended_by_sigterm
from galvo_tasks.program.running import classes_of, run
from galvo_tasks.program.shown import wrapped

FAILED, REFUSED = 1, 3


def main(argv: Sequence[str]) -> int:
    """0: told to end; 1: failed, or tasks were cut short; 3: refused, for what `check` finds. Raises GalvoError."""
    options = parser().parse_args(argv)
    try:
        with ended_by_sigterm(), application(options.app) as app:
            classes_of(app, options.runtime)
            if traps := fatal(check(app)):
                return _refused(traps)
            server = awaited(str(app.conf.broker_url), patient=not options.no_wait)
            if fatal(traps := check(app, server)):
                return _refused(fatal(traps))
            return run(app, options.runtime, options.concurrency, verbose=options.verbose, traps=traps, server=server)
    except KeyboardInterrupt:
        return 0  # told to end before it began


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo tasks worker",
        description="Run the tasks of one runtime class or more.",
        epilog="Ctrl-C or SIGTERM lets the tasks that run finish, a second one ends them, a third does not wait. "
        "Exit code 0: ended so; 1: failed, or tasks were cut short; 3: refused, see galvo tasks check.",
    )
    text = "runtime class; may be repeated: of two tasks as urgent, the first class's goes first"
    made.add_argument("--class", dest="runtime", action="append", required=True, metavar="NAME", help=text)
    made.add_argument("--app", default="", metavar="PATH", help="package.module:name; default: app under [tasks]")
    text = "tasks at once, at most; default: what CPUs and memory allow"
    made.add_argument("--concurrency", type=_number, default=0, metavar="N", help=text)
    made.add_argument("--no-wait", action="store_true", help="end with exit code 1 when the broker is not there")
    made.add_argument("--verbose", action="store_true", help="log the begin and end of each task")
    return made


def fatal(traps: Sequence[Trap]) -> list[Trap]:
    return [trap for trap in traps if trap.fatal]


def _refused(traps: Sequence[Trap]) -> int:
    lines = ["galvo: no worker starts with what galvo tasks check finds:"]
    for trap in traps:
        lines += wrapped(f"{trap.name}: {trap.text}", first="  ")
    print("\n".join(lines), file=sys.stderr)
    return REFUSED


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 1 and 1000")
    return int(text)
