"""Options that every command which measures has."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import join

from galvo_bench.running.urls import shown

SILENT = {"--json", "--force"}
SHOWN: dict[str, Callable[[str], str]] = {
    "--url": shown,
    "--amqp": shown,
    "--markdown": lambda path: Path(path).name,
    **dict.fromkeys(("--save", "--html", "--against"), lambda _: ""),
}
"""What is told of an option's value; nothing: neither of the option."""


def add_options(parser: argparse.ArgumentParser, rounds: str) -> None:
    """`rounds` says how many there are without the option; that is then 0."""
    parser.allow_abbrev = False  # `command_of` knows whole words only
    add = parser.add_argument
    add("--rounds", type=number_from(1), default=0, metavar="N", help=f"each runs every candidate once ({rounds})")
    add("--json", action="store_true", help="print the run as JSON, and nothing else")
    add("--save", default="", metavar="FILE", help="keep the run as JSON, for `galvo bench compare`")
    add("--markdown", default="", metavar="FILE", help="write a report")
    add("--html", default="", metavar="FILE", help="write a page with plots, of one file")
    add("--against", default="", metavar="FILE", help="compare with a run that was saved on this machine")
    add("--force", action="store_true", help="compare although the machine is another one")
    add("--url", default="", help="a PostgreSQL to use instead of a private one")
    add("--amqp", default="", metavar="URL", help="a RabbitMQ to use instead of a private one of Debian's package")
    add("--uvloop", action="store_true", help="on uvloop instead of asyncio's own loop")


def checked(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Wrong usage ends with exit code 2."""
    options = parser.parse_args(words)
    if options.force and not options.against:
        parser.error("--force needs --against FILE")
    return options


def command_of(words: Sequence[str]) -> str:
    """`galvo bench WORDS` that makes the same again, on another machine as well: no passwords, no paths."""
    kept = ["galvo", "bench"]
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if option in SILENT:
            continue
        if option in SHOWN:
            told = SHOWN[option](value if equals else next(rest, ""))
            kept += [option, told] if told else []
        else:
            kept.append(word)
    return join(kept)


def number_from(least: int) -> Callable[[str], int]:
    """The type of an option."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} on")
        return int(text)

    return number
