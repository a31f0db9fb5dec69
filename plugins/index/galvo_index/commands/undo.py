"""`galvo index undo`."""

from __future__ import annotations

import argparse

import msgspec

from galvo_index.apply import shown
from galvo_index.apply.limits import Limits
from galvo_index.apply.undo import undo
from galvo_index.cli import command
from galvo_index.consent import agreed
from galvo_index.database import connecting


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = command(subparsers, "undo", "Drop, concurrently, every index that galvo built here, and no other.")
    made.add_argument("--id", type=int, action="append", default=[], metavar="N", help="only entry N of the journal")
    made.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="for another galvo that builds here")
    made.add_argument("--yes", action="store_true", help="do not ask")
    made.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """0: all are gone, or the answer was no; 1: one is not."""
    which = f"those of the entries {', '.join(map(str, options.id))}" if options.id else "all that galvo built"
    if not agreed(f"Drop {which}?", yes=options.yes, json=options.json):
        print("nothing was changed")
        return 0
    async with connecting(options.url) as connect:
        said, outcomes = await undo(connect, Limits(turn=options.wait), options.id)
    if options.json:
        print(msgspec.json.encode({"said": said, "indexes": outcomes}).decode())
    else:
        print("\n".join(shown.outcomes(said, outcomes)) or "there was nothing to undo")
    return int(any(outcome.built for outcome in outcomes))
