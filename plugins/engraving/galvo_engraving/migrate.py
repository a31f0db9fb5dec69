"""Runs the migrations that a database does not have yet, one process at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from galvo import GalvoError

FOLDER = "migrations"
LOCK = 7_201_933_114
"""Of PostgreSQL's advisory locks: the shop's own."""
TABLE = """
create schema if not exists engraving;
create table if not exists engraving.migration (
    number     integer primary key,
    name       text not null,
    digest     text not null,
    applied_at timestamptz not null default now()
)"""


class MigrationProblem(GalvoError):
    """The database and this version of the shop do not fit together."""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.number:04} {self.name}"


@cache
def migrations() -> tuple[Migration, ...]:
    """In the order in which they run: `0002_machines.sql` is number 2."""
    found = [entry for entry in (files(__package__) / FOLDER).iterdir() if entry.name.endswith(".sql")]
    made = []
    for entry in found:
        number, _, name = entry.name.removesuffix(".sql").partition("_")
        made.append(Migration(int(number), name, entry.read_text("utf-8")))
    return tuple(sorted(made, key=lambda one: one.number))


async def migrate(con: Any) -> list[Migration]:
    """Run what is missing on an asyncpg connection that is in no transaction; gives what was run.

    A migration that fails leaves what it found, and those before it done. Raises MigrationProblem.
    """
    await con.execute("select pg_advisory_lock($1)", LOCK)
    try:
        await con.execute(TABLE)
        missing = _missing({row["number"]: row for row in await con.fetch("select * from engraving.migration")})
        for one in missing:
            async with con.transaction():
                await con.execute(one.sql)
                await con.execute(
                    "insert into engraving.migration (number, name, digest) values ($1, $2, $3)",
                    *(one.number, one.name, one.digest),
                )
        return missing
    finally:
        await con.execute("select pg_advisory_unlock($1)", LOCK)


async def missing(con: Any) -> list[Migration]:
    """What `migrate` would run; nothing is changed. Raises MigrationProblem."""
    if not await con.fetchval("select to_regclass('engraving.migration') is not null"):
        return [*migrations()]
    return _missing({row["number"]: row for row in await con.fetch("select * from engraving.migration")})


def _missing(applied: dict[int, Any]) -> list[Migration]:
    known = {one.number: one for one in migrations()}
    for number, row in sorted(applied.items()):
        if number not in known:
            raise MigrationProblem(
                f"the database has migration {number:04} {row['name']}, which this version of galvo-engraving does "
                "not know: install the version that made it, or a newer one"
            )
        if row["digest"] != known[number].digest:
            raise MigrationProblem(
                f"migration {known[number]} was changed after this database had run it: take the change back, and "
                "write a migration of its own for it"
            )
    return [one for one in migrations() if one.number not in applied]
