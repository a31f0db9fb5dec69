"""The triggers that tell galvo of a write, as SQL: one function, and two triggers on each table.

`galvo_watch_write` fires once per statement, and also where `session_replication_role` is `replica` (ENABLE ALWAYS).
Logical replication fires no statement triggers when it applies rows (PostgreSQL's manual, "Logical Replication",
Architecture), so `galvo_watch_row` does that; it is ENABLE REPLICA, and an ordinary session does not run it.
The function notifies and does nothing else: the analysis may know it by the digest of its source (`OURS`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

CHANNEL: Final = "galvo_write"
SCHEMA: Final = "galvo"
FUNCTION: Final = "galvo_notify"
PREFIX: Final = "galvo_watch_"
WRITE: Final = f"{PREFIX}write"
ROW: Final = f"{PREFIX}row"

# PostgreSQL sends equal notifications of one transaction once, at its COMMIT.
SOURCE: Final = f"""
begin
  perform pg_catalog.pg_notify('{CHANNEL}', tg_relid::pg_catalog.text);
  return null;
end
"""
DIGEST: Final = hashlib.md5(SOURCE.encode(), usedforsecurity=False).hexdigest()

OURS: Final = f"""
  select p.oid from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = '{SCHEMA}'
  join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
  where p.proname = '{FUNCTION}' and p.pronargs = 0 and not p.prosecdef and p.proconfig is null
    and md5(replace(p.prosrc, chr(13), '')) = '{DIGEST}'
"""  # noqa: S608 - built from our own constants
"""A query: the OID of our function, if what has its name is ours. Triggers that call it have no effects."""

# Bits of pg_trigger.tgtype: row 1, insert 4, delete 8, update 16, truncate 32.
INTACT: Final = f"""(
  exists (select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and t.tgname = '{WRITE}' and t.tgtype = 60
          and t.tgenabled = 'A' and t.tgqual is null and t.tgattr::text = '' and t.tgfoid in (select oid from ours))
  and (c.relkind = 'p' or exists (
          select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and t.tgname = '{ROW}' and t.tgtype = 29
          and t.tgenabled = 'R' and t.tgqual is null and t.tgattr::text = '' and t.tgfoid in (select oid from ours))))
"""  # noqa: S608
"""A condition on pg_class `c`, with `ours` from OURS: each of its triggers is there, as we made it, and on."""

INSTALL: Final = f"""\
create schema if not exists {SCHEMA};
grant usage on schema {SCHEMA} to public;
create or replace function {SCHEMA}.{FUNCTION}() returns trigger
language plpgsql as $${SOURCE}$$;
"""


def watch(table: str, kind: str) -> str:
    """The statements that watch one table; twice is fine.

    `table` is quoted as in SQL, `kind` is its relkind: "r", or "p" for a partitioned table, which holds no rows.
    They need PostgreSQL 14, and they lock the table against writers, not readers, until the transaction ends.
    """
    sql = f"""\
create or replace trigger {WRITE}
  after insert or update or delete or truncate
  on {table}
  for each statement execute function {SCHEMA}.{FUNCTION}();
alter table only {table}
  enable always trigger {WRITE};
"""
    if kind == "p":
        return sql
    return f"""\
{sql}create or replace trigger {ROW}
  after insert or update or delete
  on {table}
  for each row execute function {SCHEMA}.{FUNCTION}();
alter table only {table}
  enable replica trigger {ROW};
"""


def unwatch(table: str) -> str:
    """The statements that end it; twice is fine. They lock the table until the transaction ends."""
    return "".join(f"drop trigger if exists {trigger}\n  on {table};\n" for trigger in (WRITE, ROW))


def script(statements: Iterable[str]) -> str:
    """One transaction that gives up, rather than make everybody queue behind it for a lock."""
    return "begin;\nset local lock_timeout = '5s';\n" + "".join(statements) + "commit;\n"
