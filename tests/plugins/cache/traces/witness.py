"""A connection that is looked at after every statement: what is different in its session?"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

Mode = Literal["alone", "committed", "rolled back"]
STATE = """
select json_build_object(
  'settings', (select json_object_agg(name, setting) from pg_catalog.pg_settings
               where context in ('user', 'superuser', 'superuser-backend', 'backend') and name !~ '^transaction_'),
  'custom', array(select current_setting(n, true) from unnest(array['a.b', 'x.y', 'A.b', 'app.x']) n),
  'users', array[current_user, session_user],
  'locks', array(select (classid, objid, objsubid, mode)::text from pg_catalog.pg_locks
                 where locktype = 'advisory' and pid = pg_backend_pid() order by 1),
  'channels', array(select pg_listening_channels() order by 1),
  'cursors', array(select name from pg_catalog.pg_cursors where is_holdable order by 1),
  'temporary', array(select relname::text from pg_catalog.pg_class where relnamespace = pg_my_temp_schema() order by 1)
)::text
"""
RESET = """
set session authorization default; discard temp; select pg_advisory_unlock_all(); close all; unlisten *; reset all
"""
"""What a pool's connection gets (`Traced.get_reset_query`)."""


@dataclass(frozen=True, slots=True)
class Seen:
    sql: str
    mode: Mode
    user: str
    changes: tuple[str, ...]
    error: str


class Witness:
    def __init__(self, dsn: str, user: str) -> None:
        self._dsn, self._user = dsn, user
        self._connection: Any = None
        self._clean: dict[str, Any] = {}

    async def sees(self, sql: str, mode: Mode) -> Seen:
        """What a statement leaves behind, run alone or as the only one of a transaction."""
        if self._connection is None:
            self._connection = await asyncpg.connect(self._dsn, user=self._user, statement_cache_size=0)
            await self._connection.execute("do $$begin end$$")  # PL/pgSQL brings settings of its own
            self._clean = await self._state()
        error = ""
        con = self._connection
        try:
            if mode != "alone":
                await con.execute("begin")
            await self._run(sql)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"[:70]
        if con.is_closed():
            self._connection = None
            return Seen(sql, mode, self._user, (), error)
        if mode != "alone" or con.is_in_transaction():
            try:
                await con.execute("rollback" if mode == "rolled back" else "commit")
            except asyncpg.PostgresError as caught:  # a cursor WITH HOLD runs now
                error = f"{type(caught).__name__}: {caught}"[:70]
        now = await self._state()
        changes = tuple(key for key in now if now[key] != self._clean[key])
        if changes:
            await con.execute(RESET)
            if await self._state() != self._clean:
                await self.close()
        return Seen(sql, mode, self._user, changes, error)

    async def _run(self, sql: str) -> None:
        con, count = self._connection, max(map(int, re.findall(r"\$(\d+)", sql)), default=0)
        head = sql.lstrip().lower()
        if head.startswith("copy") and head.endswith("to stdout"):
            await con._copy_out(sql, io.BytesIO(), 10)
        elif head.startswith("copy") and head.endswith("from stdin"):
            await con._copy_in(sql, io.BytesIO(b"1\n"), 10)
        elif count:
            await con.fetch(sql, *[None] * count, timeout=10)
        else:
            await con.execute(sql, timeout=10)

    async def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self._connection.fetchval(STATE))
        return found

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
