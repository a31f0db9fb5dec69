"""The table in which everything is written down before it is done, so that what is left over is known as ours."""

from __future__ import annotations

import secrets
from typing import Any, Final, Literal

import asyncpg
import msgspec

from galvo import GalvoError
from galvo_index.definition import OURS

State = Literal["intended", "building", "built", "judged", "dropping", "dropped", "failed"]
"""`failed`: none was made, or nothing of it is left; `dropped`: it was there and is gone."""
PRESENT: Final = ("building", "built", "judged", "dropping")
"""States in which there may be an index."""

_INSTALL: Final = """
create schema if not exists galvo;
create table if not exists galvo.index_journal (
  id bigint generated always as identity primary key,
  nonce text not null default '',
  state text not null,
  relation oid not null,
  table_name text not null,
  name text not null,
  definition text not null,
  reason text not null,
  predicted float8,
  bytes bigint not null,
  index_oid oid,
  before jsonb,
  at_build jsonb,
  kept boolean,
  measured float8,
  note text not null default '',
  intended_at timestamptz not null default pg_catalog.clock_timestamp(),
  building_at timestamptz,
  built_at timestamptz,
  judged_at timestamptz,
  dropping_at timestamptz,
  dropped_at timestamptz,
  failed_at timestamptz
);
comment on table galvo.index_journal is 'What galvo did to indexes, and how to take it back: galvo index journal, undo'
"""
_TRUSTED: Final = """
select coalesce(pg_catalog.bool_and(rolsuper or rolname = current_user), true) as trusted,
  pg_catalog.count(*) = 2 as present
from (
  select nspowner as owner from pg_catalog.pg_namespace where nspname = 'galvo'
  union all select relowner from pg_catalog.pg_class
  where relname = 'index_journal' and relkind = 'r' and relnamespace = pg_catalog.to_regnamespace('galvo')
) owners join pg_catalog.pg_roles on oid = owner
"""


class Entry(msgspec.Struct, frozen=True):
    """One index, from the intention to its end."""

    id: int
    nonce: str
    state: State
    relation: int
    """The table's oid."""
    table_name: str
    name: str
    definition: str
    reason: str
    predicted: float | None
    """The part of the statements' cost that the planner said would be gone."""
    bytes: int
    index_oid: int | None
    before: dict[str, list[float]] | None
    """Calls and seconds of statements in the time before, by their key."""
    at_build: dict[str, list[float]] | None
    """The sums of the source when the index was built."""
    kept: bool | None
    measured: float | None
    """The part of the statements' time that is really gone."""
    note: str
    times: dict[str, Any]
    """When each state was reached, by its name."""

    @property
    def building_name(self) -> str:
        """The index's name until it is complete. Nobody else can have chosen it: so what has it is ours."""
        return f"{OURS}building_{self.nonce}"

    @property
    def dropping_name(self) -> str:
        return f"{OURS}dropping_{self.nonce}"

    @property
    def mark(self) -> str:
        """In the comment of the complete index; the proof, with oid or name, that it is the one of this entry."""
        return f"[galvo {self.id} {self.nonce}]"


class Journal:
    """`connection` has `search_path = pg_catalog`."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def install(self) -> None:
        """Create the table. Raises GalvoError when somebody else owns it: its triggers would run as us."""
        if not await self.exists():
            await self._connection.execute(_INSTALL)
            await self.exists()

    async def exists(self) -> bool:
        (found,) = await self._connection.fetch(_TRUSTED)
        if not found["trusted"]:
            raise GalvoError(
                "galvo.index_journal, or its schema, belongs to a role that is neither a superuser nor yours, and "
                "whose triggers would run as you: connect as that role, or have it removed"
            )
        return bool(found["present"])

    async def intend(self, relation: int, table: str, name: str, sql: str, reason: str, predicted: float | None,
                     bytes: int) -> int:  # fmt: skip
        """Gives the new entry's id."""
        statement = (
            "insert into galvo.index_journal (nonce, state, relation, table_name, name, definition, reason, predicted, "
            "bytes) values ($1, 'intended', $2, $3, $4, $5, $6, $7, $8) returning id"
        )
        values = (secrets.token_hex(8), relation, table, name, sql, reason, predicted, bytes)
        return int(await self._connection.fetchval(statement, *values))

    async def move(self, entry: Entry, state: State, **values: Any) -> Entry:
        """Write down that `entry` is in `state` from now on. Raises GalvoError when it is not where it was."""
        known = {key: msgspec.json.encode(value).decode() if isinstance(value, dict) else value
                 for key, value in values.items()}  # fmt: skip
        assigned = ", ".join(f"{key} = ${number}" for number, key in enumerate(known, 4))
        changed = await self._connection.execute(
            f"update galvo.index_journal set state = $3, {state}_at = pg_catalog.clock_timestamp()"  # noqa: S608
            f"{', ' + assigned if assigned else ''} where id = $1 and state = $2",
            entry.id, entry.state, state, *known.values(),
        )  # fmt: skip
        if changed != "UPDATE 1":
            raise GalvoError(
                f"entry {entry.id} of galvo.index_journal was changed by somebody else meanwhile: try again"
            )
        return await self.entry(entry.id)

    async def note(self, entry: Entry, text: str) -> None:
        """Say something about `entry`, which stays where it is."""
        await self._connection.execute("update galvo.index_journal set note = $2 where id = $1", entry.id, text)

    async def entry(self, id: int) -> Entry:
        (found,) = await self._read("where id = $1", id)
        return found

    async def entries(self, *states: State) -> list[Entry]:
        """All of them, or those in one of `states`, oldest first."""
        return await self._read("where state = any($1)" if states else "", *([[*states]] if states else []))

    async def rejected(self, name: str, days: float) -> bool:
        """Whether the index of this name was measured, and did not help, in the last `days`."""
        return bool(await self._connection.fetchval(
            "select exists (select from galvo.index_journal where name = $1 and not kept "
            "and judged_at > pg_catalog.now() - pg_catalog.make_interval(secs => $2 * 86400))",
            name, days,
        ))  # fmt: skip

    async def _read(self, condition: str, *values: Any) -> list[Entry]:
        rows = await self._connection.fetch(f"select * from galvo.index_journal {condition} order by id", *values)  # noqa: S608
        return [_entry(dict(row)) for row in rows]


def _entry(row: dict[str, Any]) -> Entry:
    times = {key.removesuffix("_at"): row.pop(key) for key in list(row) if key.endswith("_at")}
    for key in ("before", "at_build"):
        row[key] = msgspec.json.decode(row[key]) if row[key] else None
    return Entry(times={key: value for key, value in times.items() if value}, **row)
