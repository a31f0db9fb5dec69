"""`galvo bench`: galvo side by side with its peers, in one run, with the machine's noise beside."""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence

from galvo_bench.results.usage import Usage
from galvo_bench.running.interruption import as_interrupts
from galvo_bench.running.options import add_options, checked
from galvo_bench.running.stand import ROUNDS
from galvo_bench.running.subjects import GROUPS, Subject, chosen

COMMANDS = {
    "calibrate": "running.calibrate",
    "claims": "claims.cli",
    "compare": "reports.compare",
    "indexes": "index.cli",
    "counts": "counts.cli",
    "report": "reports.cli",
    "versus": "kernel.versus",
}
"""What has options of its own: a module below galvo_bench, with a `main(argv)`."""


def main(argv: Sequence[str]) -> int:
    """0; 1: something has failed or does not hold; 2: wrong usage; 130: interrupted. A missing peer is a row."""
    try:
        with as_interrupts():
            code = command(argv)
            sys.stdout.flush()
            return code
    except Usage as error:
        print(f"galvo: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # or Python says it once more
        print(f"galvo: cannot write the output: {error.strerror}", file=sys.stderr)
        return 1


def command(argv: Sequence[str]) -> int:
    if argv and argv[0] in COMMANDS:
        there: Callable[[Sequence[str]], int] = importlib.import_module(f"galvo_bench.{COMMANDS[argv[0]]}").main
        return there(argv[1:])
    made = parser()
    options = checked(made, argv)
    try:
        subjects = chosen(options.names)
    except ValueError as unknown:
        made.error(str(unknown))
    if options.list:
        return listed(subjects, as_json=options.json)
    return measured(options, subjects, argv)


def measured(options: argparse.Namespace, subjects: Sequence[Subject], words: Sequence[str]) -> int:
    """With the mission's claims before them, where they are asked for."""
    from galvo_bench.claims.cli import Row, closing
    from galvo_bench.claims.listed import CLAIMS
    from galvo_bench.reports.table import show
    from galvo_bench.running.carry import begun, carry_out

    claims = list(CLAIMS.values()) if options.claims else []
    names = [*(claim.name for claim in claims), *(subject.name for subject in subjects)]
    run = begun(options, words, names, options.rounds or ROUNDS)
    run.groups = {claim.name: "claims" for claim in claims} | {subject.name: subject.group for subject in subjects}
    return carry_out(options, run, [*(Row(claim, run) for claim in claims), *subjects], show, closing)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo bench", description=__doc__, epilog=f"with options of their own: {', '.join(COMMANDS)}"
    )
    made.add_argument("names", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)}; or subjects of them")
    made.add_argument("--list", action="store_true", help="say what there is, and measure nothing")
    made.add_argument("--claims", action="store_true", help="the mission's claims, too, and first")
    add_options(made, f"default {ROUNDS}")
    return made


def listed(subjects: Sequence[Subject], *, as_json: bool) -> int:
    """By group, what each measures."""
    if as_json:
        told = [{"group": one.group, "name": one.name, "about": one.about(), "disk": one.disk} for one in subjects]
        print(json.dumps(told))
        return 0
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for group in GROUPS:
        for number, one in enumerate(one for one in subjects if one.group == group):
            table.add_row(Text("" if number else group, "bold"), one.name, Text(one.about()))
    if console.is_terminal:
        console.print(table)
        return 0
    with console.capture() as text:
        console.print(table)
    print("\n".join(line.rstrip() for line in text.get().splitlines()))
    return 0
