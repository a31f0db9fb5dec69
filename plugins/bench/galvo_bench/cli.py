"""`galvo bench`: galvo side by side with its peers, in one run, with the machine's noise beside."""

from __future__ import annotations

import argparse
import asyncio
import importlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from shlex import join
from typing import Any

import msgspec

from galvo_bench.reports.table import show
from galvo_bench.results.machine import machine
from galvo_bench.results.model import Run
from galvo_bench.running.run import measure
from galvo_bench.running.stand import Stand, alone
from galvo_bench.running.subjects import GROUPS, Subject, chosen

COMMANDS = {
    "indexes": "index.cli",
    "counts": "counts.cli",
}
"""What has options of its own: a module below galvo_bench, with a `main(argv)`."""


def main(argv: Sequence[str]) -> int:
    """Exit code 0; a peer that is missing is a row that says so."""
    if argv and argv[0] in COMMANDS:
        command: Callable[[Sequence[str]], int] = importlib.import_module(f"galvo_bench.{COMMANDS[argv[0]]}").main
        with alone():
            return command(argv[1:])
    made = parser()
    options = made.parse_args(argv)
    try:
        subjects = chosen(options.names)
    except ValueError as unknown:
        made.error(str(unknown))
    with alone():
        return run(options, subjects, join(["galvo", "bench", *argv]))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="galvo bench", description=__doc__)
    made.add_argument("names", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)}; or subjects of them")
    made.add_argument("--rounds", type=int, default=21, help="rounds; every round runs each candidate once")
    made.add_argument("--uvloop", action="store_true", help="on uvloop instead of asyncio's own loop")
    made.add_argument("--url", default="", help="a PostgreSQL to use instead of the embedded one")
    made.add_argument("--amqp", default="", help="a RabbitMQ to use instead of a private one of Debian's package")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def run(options: argparse.Namespace, subjects: list[Subject], command: str) -> int:
    """Measure and print; the stand is closed at the end."""
    where = machine("uvloop" if options.uvloop else "asyncio")
    began = datetime.now(UTC).isoformat(timespec="seconds")
    kept = Run(command, began, where, options.rounds, [subject.name for subject in subjects])
    loop: Any = importlib.import_module("uvloop").new_event_loop if options.uvloop else None
    stand = Stand(options.url, options.rounds, options.amqp)
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(measure(kept, stand, subjects, (lambda _: None) if options.json else show))
    finally:
        stand.close()
    if options.json:
        print(msgspec.json.encode(kept).decode())
    return 0
