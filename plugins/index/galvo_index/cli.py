"""`galvo index`: each of its commands is a module of `galvo_index.commands`."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import pkgutil
import sys
from collections.abc import Sequence

import asyncpg

from galvo import GalvoError
from galvo_index import commands
from galvo_index.lanes import GONE


def main(argv: Sequence[str]) -> int:
    """Run one command: 0 done, 1 failed, 2 wrong usage, 130 interrupted; a command may have more of its own."""
    options = parser().parse_args(argv)
    try:
        return int(asyncio.run(options.run(options)))
    except (GalvoError, asyncpg.PostgresError) as error:
        message = f"the database says: {error}" if isinstance(error, asyncpg.PostgresError) else str(error)
        print(f"galvo: {message}", file=sys.stderr)
        return 1
    except GONE as error:
        print(f"galvo: the connection was lost: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("galvo: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Every module of `commands` has `add(commands)`, which adds its parser with `run` as a default."""
    top = argparse.ArgumentParser(prog="galvo index", description="See what the database does, and make it faster.")
    subparsers = top.add_subparsers(required=True, metavar="COMMAND")
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}").add(subparsers)
    return top


def command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    """A parser with what every command takes: the database's URL, and --json."""
    made = subparsers.add_parser(name, help=text, description=text)
    made.add_argument("url", nargs="?", default="", metavar="URL", help="of the database; default: that of the pool")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made
