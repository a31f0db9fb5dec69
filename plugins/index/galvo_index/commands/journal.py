"""`galvo index journal`."""

from __future__ import annotations

import argparse

import msgspec

from galvo_index.apply import shown
from galvo_index.apply.journal import Journal
from galvo_index.cli import command
from galvo_index.database import connected


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = command(subparsers, "journal", "List every index that galvo built here, and what became of it.")
    made.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    async with connected(options.url) as connection:
        journal = Journal(connection)
        entries = await journal.entries() if await journal.exists() else []
    if options.json:
        print(msgspec.json.encode(entries).decode())
    else:
        print("\n".join(shown.journal(entries)))
    return 0
