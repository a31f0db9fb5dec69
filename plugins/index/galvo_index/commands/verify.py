"""`galvo index verify`."""

from __future__ import annotations

import argparse

import msgspec

from galvo_index.apply import shown
from galvo_index.apply.journal import Journal
from galvo_index.apply.judge import Verdict
from galvo_index.apply.leftovers import settle_all
from galvo_index.apply.limits import Limits
from galvo_index.apply.run import changing
from galvo_index.apply.verify import conclude, verdict
from galvo_index.cli import command
from galvo_index.database import connecting
from galvo_index.workload import Statement, stat_statements


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = command(
        subparsers, "verify", "Measure, by pg_stat_statements, what the indexes that galvo built have gained."
    )
    made.add_argument("--drop", action="store_true", help="write the verdicts down, and drop what did not help")
    made.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """0: all help, or nothing can be said yet; 1: one does not."""
    limits, verdicts, said = Limits(), dict[str, Verdict](), list[str]()
    async with connecting(options.url) as connect, changing(connect, limits) as connection:

        async def workload() -> list[Statement]:
            return await stat_statements.read(connection)

        journal = Journal(connection)
        if await journal.exists():
            said += await settle_all(connect, connection, limits)
            for entry in await journal.entries("built"):
                seen = verdicts[entry.name] = await verdict(connection, entry, workload, last=False)
                if options.drop and seen.kept is not None:
                    await conclude(connect, connection, entry, seen, limits, auto=True)
    if options.json:
        print(msgspec.json.encode({"said": said, "verdicts": verdicts}).decode())
    else:
        print("\n".join(_shown(said, verdicts)))
    return int(any(seen.kept is False for seen in verdicts.values()))


def _shown(said: list[str], verdicts: dict[str, Verdict]) -> list[str]:
    lines = [line for text in said for line in shown.sentence(text)]
    words = {None: "not known yet", True: "helps", False: "does not help"}
    for name, seen in verdicts.items():
        lines += shown.sentence(f"{name} {words[seen.kept]}: {seen.text}")
    return lines or ["no index waits for its verdict"]
