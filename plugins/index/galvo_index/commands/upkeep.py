"""`galvo index upkeep`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import msgspec

from galvo_index.apply.shown import sentence
from galvo_index.cli import command
from galvo_index.consent import agreed
from galvo_index.database import connecting
from galvo_index.upkeep.needs import Need
from galvo_index.upkeep.work import Done, Memory, Pace, needs, work


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = command(subparsers, "upkeep", "VACUUM and ANALYZE what needs it, and what autovacuum does not see to.")
    made.add_argument("--dry-run", action="store_true", help="only show what would be done, and why")
    made.add_argument("--pause", type=float, default=1.0, metavar="SECONDS", help="between two tables; default: 1")
    made.add_argument("--yes", action="store_true", help="do not ask")
    made.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """0: done, or nothing to do; 1: something could not be done."""
    async with connecting(options.url) as connect:
        connection = await connect()
        try:
            found = await needs(connection)
        finally:
            await connection.close()
        if options.dry_run or not any(one.sql for one in found):
            _print(found, [], options)
            return 0
        if not options.json:
            print("\n".join(_needs(found)))
        if not agreed("Do it?", yes=options.yes, json=options.json):
            print("nothing was changed")
            return 0
        pace = Pace(pause=options.pause)
        done = [one async for one in work(connect, pace, Memory(), lambda: pace.statement) if one.need.sql]
    _print([], done, options)
    return int(any(one.text for one in done))


def _print(found: Sequence[Need], done: Sequence[Done], options: argparse.Namespace) -> None:
    if options.json:
        each = [(one, "") for one in found] + [(one.need, one.text or "done") for one in done]
        rows = [{**msgspec.structs.asdict(one), "sql": one.sql, "result": result} for one, result in each]
        print(msgspec.json.encode(rows).decode())
        return
    lines = [*_needs(found), *(line for one in done for line in sentence(f"{one.need.table}: {one.text or 'done'}"))]
    print("\n".join(lines) or "nothing needs to be done")


def _needs(found: Sequence[Need]) -> Iterator[str]:
    for one in found:
        yield from sentence(f"{one.table}: {one.why}")
        yield from sentence(one.sql, "    ") if one.sql else ()
