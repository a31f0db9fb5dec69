"""`galvo cache watch / unwatch / watched`: the triggers that tell the cache of writes from outside."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from galvo import GalvoError
from galvo.operating import only
from galvo_cache.external import installed, triggers
from galvo_cache.external.installed import Table

if TYPE_CHECKING:
    import asyncpg


def main(argv: Sequence[str]) -> int:
    """Run one command: 0 done, 1 failed or incomplete, 2 wrong usage."""
    options = parser().parse_args(argv)
    try:
        return int(asyncio.run(options.command(options)))
    except GalvoError as error:
        print(f"galvo: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The commands."""
    top = argparse.ArgumentParser(
        prog="galvo cache",
        description="Tell the cache of writes by others (psql, cron, services): triggers that notify it.",
        epilog="They notify at COMMIT: PREPARE TRANSACTION fails after a write to a watched table.",
    )
    sub = top.add_subparsers(required=True, metavar="COMMAND")
    for name, command, text in (
        ("watch", _watch, "Put triggers on tables, and on their partitions, parents and children."),
        ("unwatch", _unwatch, "Take them away again; the function galvo.galvo_notify stays."),
    ):
        made = sub.add_parser(name, help=text, description=text)
        made.add_argument("tables", nargs="+", metavar="TABLE", help="table or schema.table, quoted as in SQL")
        made.add_argument("--print", action="store_true", help="print the SQL, for a migration, and change nothing")
        made.set_defaults(command=command)
    text = "List the watched tables; the exit code is 1 when one of them needs `watch` again."
    made = sub.add_parser("watched", help=text, description=text)
    made.add_argument("--json", action="store_true", help="print JSON")
    made.set_defaults(command=_watched)
    return top


async def _watch(options: argparse.Namespace) -> int:
    async with _connected() as connection:
        tables = await _meant(connection, options.tables)
        made = [triggers.watch(table.name, table.kind) for table in tables if options.print or not table.intact]
        function = options.print or not await installed.has_function(connection)
        statements = [triggers.INSTALL, *made] if function else made
        if options.print:
            print(triggers.script(statements), end="")
            return 0
        if statements:
            await _run(connection, statements)
        prepared = int(await connection.fetchval("show max_prepared_transactions"))
    for table in tables:
        print(f"{table.name}: {'already ' if table.intact else ''}watched")
    if prepared:
        note = "note: PREPARE TRANSACTION fails from now on in transactions that wrote these tables"
        print(note, file=sys.stderr)
    return 0


async def _unwatch(options: argparse.Namespace) -> int:
    async with _connected() as connection:
        tables = await _meant(connection, options.tables)
        statements = [triggers.unwatch(table.name) for table in tables]
        if options.print:
            print(triggers.script(statements), end="")
            return 0
        await _run(connection, statements)
    for table in tables:
        print(f"{table.name}: not watched any more")
    return 0


async def _watched(options: argparse.Namespace) -> int:
    async with _connected() as connection:
        tables = await installed.touched(connection)
    if options.json:
        print(json.dumps([{"table": table.name, "watched": table.intact} for table in tables]))
    elif not tables:
        print("no table is watched: `galvo cache watch TABLE` begins it")
    else:
        for table in tables:
            print(table.name if table.intact else f"{table.name}: triggers missing, off or changed; `watch` it again")
    return int(not all(table.intact for table in tables))


async def _meant(connection: asyncpg.Connection, names: Sequence[str]) -> list[Table]:
    return await installed.tree(connection, [await installed.find(connection, name) for name in names])


async def _run(connection: asyncpg.Connection, statements: Sequence[str]) -> None:
    """All of them or none. Raises GalvoError."""
    try:
        await connection.execute(triggers.script(statements))
    except Exception as error:
        await connection.execute("rollback")
        if getattr(error, "sqlstate", None) == "55P03":
            raise GalvoError("a table was locked by somebody else for 5 s: nothing was changed, try again") from None
        raise


@asynccontextmanager
async def _connected() -> AsyncIterator[asyncpg.Connection]:
    """A connection to the pool's database. Starts the pool, what it comes after, and no other plugin.

    The database's own refusals come out as GalvoError.
    """
    async with only("pool") as pool:
        connection = await pool.connect()
        try:
            yield connection
        except Exception as error:
            state = getattr(error, "sqlstate", None)
            if state is None:
                raise
            text = f"the database refused: {' '.join(str(error).split())}"
            if state == "42501":
                text += "; hand the SQL of --print to the owner of the table, or of the database"
            raise GalvoError(text) from None
        finally:
            await connection.close()
