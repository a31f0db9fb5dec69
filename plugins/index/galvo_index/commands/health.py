"""`galvo index health`."""

from __future__ import annotations

import argparse

import msgspec

from galvo_index.cli import command
from galvo_index.database import connected
from galvo_index.health import examine
from galvo_index.health.rules import RULES
from galvo_index.health.shown import shown

CRITICAL = 3


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = command(subparsers, "health", "Say what is wrong with the database; exit code 3: something critical.")
    rules = f"may be repeated: {', '.join(RULES)}"
    made.add_argument("--only", action="append", default=[], choices=RULES, metavar="RULE", help=rules)
    made.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """0: looked, and nothing is critical; 3: something is."""
    async with connected(options.url) as connection:
        report = await examine(connection, options.only)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        print("\n".join(shown(report)))
    return CRITICAL if report.critical else 0
