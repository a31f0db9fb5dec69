"""The demo's options, each refused with one sentence when it cannot be used."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, NoReturn
from urllib.parse import urlsplit

from galvo_engraving.generate import Generator

SERVED = 20.0
"""Seconds, where nobody sits before a terminal."""


class BadOption(Exception):
    """The text is the sentence."""


@dataclass(frozen=True, slots=True)
class Options:
    seconds: float
    """Timed, per mode."""
    clients: int
    scale: float
    rounds: int
    seed: int
    url: str | None
    json: bool
    serve: float | None = None
    """Seconds for which the application is served afterwards; 0: it is not; None: as `for_people` says."""

    def for_people(self, terminal: bool) -> float | None:
        """Seconds; None: until somebody ends it."""
        if self.json:
            return 0.0
        return self.serve if self.serve is not None or terminal else SERVED

    def arguments(self) -> dict[str, Any]:
        """For the report: without the password."""
        return {
            "seconds": self.seconds,
            "clients": self.clients,
            "scale": self.scale,
            "rounds": self.rounds,
            "seed": self.seed,
            "url": self.url and redacted(self.url),
        }


def redacted(url: str) -> str:
    """`url` without its password, wherever it stands."""
    url = re.sub(r"(://[^:/?@]*):[^/?]*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", url)


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadOption(f"{message.removeprefix('argument ')} ({self.prog} --help lists the options)")


def parse(argv: list[str]) -> Options | None:
    """None when only help was asked for. Raises BadOption."""
    parser = Parser(
        prog="galvo run demo",
        allow_abbrev=False,
        description="Runs the same workload on plain asyncpg, on galvo's pool and on pool + cache.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--seconds", type=_between(0.1, 3600), default=10.0, help="timed seconds per mode (10)")
    parser.add_argument("--clients", type=_whole(1, 1000), default=16, help="concurrent clients (16)")
    parser.add_argument("--scale", type=_between(0.01, 100), default=1.0, help="1 is 20,000 projects (1)")
    parser.add_argument("--rounds", type=_whole(1, 100), default=5, help="turns that the modes take (5)")
    parser.add_argument("--seed", type=_whole(0, 2**31), default=1, help="other data, other requests (1)")
    parser.add_argument("--url", type=postgres_url, help="an existing PostgreSQL instead of the embedded one")
    text = "seconds for which the shop is served afterwards; 0: not (in a terminal until Ctrl-C, else 20)"
    parser.add_argument("--serve", type=_between(0, 86_400), help=text)
    try:
        found = parser.parse_args(argv)
    except SystemExit:
        return None
    options = Options(**vars(found))
    counts = Generator(options.scale, options.seed).counts()
    most = min(counts["project"], counts["job"], counts["laser_setting"])
    if options.clients > most:
        raise BadOption(f"--clients must be at most {most} at --scale {options.scale:g}: each needs rows of its own")
    return options


def _between(least: float, most: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not (isfinite(value) and least <= value <= most):
            raise argparse.ArgumentTypeError(f"must be a number from {least:g} to {most:g}, not {text!r}")
        return value

    return number


def _whole(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, not {text!r}")
        return value

    return number


def postgres_url(text: str) -> str:
    if urlsplit(text).scheme not in ("postgres", "postgresql"):
        raise argparse.ArgumentTypeError("must look like postgresql://user:password@host:5432/database")
    return text
