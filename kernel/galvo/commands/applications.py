"""`galvo run`: the applications that plugins bring, each a command `run.NAME` of its own."""

from __future__ import annotations

import argparse
import json

from galvo.added import commands
from galvo.errors import GalvoError

TEXT = "Run an application that a plugin brings."


def names() -> list[str]:
    return sorted(name[4:] for name in commands() if name.startswith("run."))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help=", ".join(names()))


def run(options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps(names()))
    elif options.name is None:
        print("\n".join(f"galvo run {name}" for name in names()) or "no installed plugin brings an application")
    else:
        raise GalvoError(f"no application {options.name!r}; there is {', '.join(names()) or 'none'}")
    return 0
