"""`galvo run migrate`: bring a database to what this version of the shop needs."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import asyncpg

from galvo import GalvoError
from galvo_engraving.migrate import Migration, migrate, migrations

URL_VARIABLE = "GALVO_POOL__URL"


def main(argv: list[str]) -> int:
    """The exit code: 0, 1 for a database that cannot be reached or does not fit, 2 for bad options."""
    parser = argparse.ArgumentParser(prog="galvo run migrate", description="Runs the migrations that are missing.")
    parser.add_argument("--url", default=os.environ.get(URL_VARIABLE), help=f"of the database; or {URL_VARIABLE}")
    try:
        options = parser.parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    if not options.url:
        return _end(f"which database? Give --url, or set {URL_VARIABLE}", 2)
    try:
        done = asyncio.run(_migrate(options.url))
    except GalvoError as error:
        return _end(str(error), 1)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        return _end(f"the database cannot be migrated: {error}", 1)
    for one in done:
        sys.stdout.write(f"{one}\n")
    sys.stdout.write(f"{len(done)} of {len(migrations())} migrations were run\n" if done else "nothing to do\n")
    return 0


async def _migrate(url: str) -> list[Migration]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await migrate(connection)
    finally:
        await connection.close()


def _end(sentence: str, code: int) -> int:
    sys.stderr.write(f"galvo: {sentence}\n")
    return code
