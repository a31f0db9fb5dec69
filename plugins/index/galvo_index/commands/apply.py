"""`galvo index apply`."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from galvo import GalvoError
from galvo_index.advise import advise
from galvo_index.apply import shown
from galvo_index.apply.create_index import NotAnIndex, parsed
from galvo_index.apply.limits import Limits
from galvo_index.apply.run import apply
from galvo_index.apply.wish import Wish, wish
from galvo_index.cli import command
from galvo_index.commands.advise import given, size
from galvo_index.consent import agreed
from galvo_index.database import Connect, connecting
from galvo_index.workload import stat_statements
from galvo_index.workload.seen import source


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = command(subparsers, "apply", "Build what is advised, or given: concurrently, one at a time, and undoable.")
    made.add_argument("--sql", type=Path, metavar="FILE", help="of CREATE INDEX statements, instead of advice")
    made.add_argument("--workload", metavar="FILE", help="of SQL to advise on; default: pg_stat_statements")
    made.add_argument("--budget", type=size, metavar="SIZE", help="of all advised indexes together: 500MB")
    made.add_argument("--table", action="append", metavar="PATTERN", help='as in "public.*"; may be repeated')
    made.add_argument("--free", type=size, metavar="SIZE", help="free on the server's disk, if it is another machine's")
    made.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="for another galvo that builds here")
    made.add_argument("--yes", action="store_true", help="do not ask")
    made.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """0: all were built, or the answer was no; 1: one was not."""
    async with connecting(options.url) as connect:
        wishes = _read(options.sql) if options.sql else await _advised(connect, options)
        if not options.json:
            print("\n".join(shown.wishes(wishes)) or "no index would help enough to be worth its writes")
        # Without a wish it still cleans up what an earlier run has left.
        if wishes and not agreed("Build them?", yes=options.yes, json=options.json):
            print("nothing was changed")
            return 0
        limits = Limits(free=options.free, turn=options.wait)
        # What `galvo index verify` compares with; without the extension it can only say whether it is used.
        said, outcomes = await apply(connect, wishes, limits, allowed=options.table or ("*",), workload=source(connect))
    if options.json:
        print(msgspec.json.encode({"said": said, "indexes": outcomes}).decode())
    else:
        print(*shown.outcomes(said, outcomes), sep="\n", end="\n" if said or outcomes else "")
    return int(not all(outcome.built for outcome in outcomes))


def _read(path: Path) -> list[Wish]:
    try:
        return [Wish(definition) for definition in parsed(path.read_text())]
    except (OSError, UnicodeDecodeError, NotAnIndex) as error:
        raise GalvoError(f"{path}: {error}") from None


async def _advised(connect: Connect, options: argparse.Namespace) -> list[Wish]:
    """The connection is closed before anything is built, which would wait for its snapshot."""
    connection = await connect()
    try:
        statements = given(options.workload).statements if options.workload else await stat_statements.read(connection)
        advised = await advise(connection, statements, budget=options.budget)
    finally:
        await connection.close()
    return [wish(advice) for advice in advised if advice.verified != "no"]
