"""Notices outside writes by PostgreSQL's own statistics: a safety net that needs nothing installed.

The counters of a table move after the commit, when the writer's session reports them: at once after a pause, within
about 1 s while it is busy, within 10 s when it falls idle. A session that goes on with a long transaction or
procedure reports at its end only, so what bounds an answer's age for certain is its TTL. Not counted: ATTACH and
DETACH of partitions, which are DDL. Counted though they change nothing: writes that were rolled back, and VACUUM FULL
and CLUSTER, which give a table another file.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Final, NamedTuple

import anyio

# By OID, not through the view over all tables. After a crash or a reset the counters begin anew: the mark moves.
LOOK: Final = """
with mark as materialized (
  select concat_ws(' ', d.oid, extract(epoch from pg_postmaster_start_time()),
      extract(epoch from pg_stat_get_bgwriter_stat_reset_time()),
      extract(epoch from pg_stat_get_db_stat_reset_time(d.oid))) as mark,
    current_setting('track_counts')::bool and not pg_is_in_recovery() as counting
  from pg_catalog.pg_database d where d.datname = current_database()
)
select t.oid::int8 as oid, mark.mark, mark.counting, c.relfilenode::int8 as file,
  pg_stat_get_tuples_inserted(t.oid) + pg_stat_get_tuples_updated(t.oid) + pg_stat_get_tuples_deleted(t.oid) as moved
from mark, unnest($1::oid[]) as t(oid) left join pg_catalog.pg_class c on c.oid = t.oid
"""

Fetch = Callable[..., Awaitable[Sequence[Any]]]


class Seen(NamedTuple):
    """A table at one look."""

    moved: int
    file: int | None
    """Another one after TRUNCATE and whatever else rewrites a table; None: it is gone."""


def nothing(table: int) -> None:
    pass


class Statistics:
    """Calls `on_write(table)` for each of `tables()` whose counters moved though nobody had `announced` a write.

    A table is also reported when it is looked at for the first time, and when its statistics were lost: nobody knows
    what came before. Where galvo writes as well, the counters cannot tell whose write it was; such a table is
    reported once its own writes have ended, and every `patience` seconds until then.
    """

    def __init__(
        self,
        fetch: Fetch,
        tables: Callable[[], set[int]],
        on_write: Callable[[int], None],
        announced: Callable[[int], bool],
        *,
        on_unannounced: Callable[[int], None] = nothing,
        interval: float = 1,
        patience: float = 30,
        log: logging.Logger | None = None,
    ) -> None:
        """`fetch(sql, *args)` runs outside of a transaction; `interval` and `patience` are in seconds.

        `announced(table)` must hold from the beginning of a write of galvo's to 12 s after its end: see `Announced`.
        """
        self._fetch = fetch
        self._tables = tables
        self._on_write = on_write
        self._announced = announced
        self._on_unannounced = on_unannounced
        self._interval = interval
        self._patience = patience
        self._log = log or logging.getLogger("galvo.cache")
        self._mark = ""
        self._seen: dict[int, Seen] = {}
        self._explained: dict[int, float] = {}
        self.counting = False
        """The last look succeeded, and the server counts: not without `track_counts`, and not on a standby."""
        self.unannounced: Counter[int] = Counter()
        """By table, the looks that found a write which nobody had announced."""

    async def run(self) -> None:
        """Look every `interval` until cancelled. A failed look loses nothing: the next one compares with the last."""
        failed = False
        while True:
            try:
                await self.look()
                failed = False
            except Exception as error:  # noqa: BLE001  # whatever the database says, the cache must not be in the way
                self.counting = False
                if not failed:
                    self._log.warning("cannot read the statistics of tables: %s", type(error).__name__)
                failed = True
            await anyio.sleep(self._interval)

    async def look(self) -> None:
        """Compare once. Raises what `fetch` raises."""
        tables = self._tables()
        if not tables:
            return
        before = {table for table in tables if self._announced(table)}
        rows = await self._fetch(LOOK, sorted(tables))
        if rows[0]["mark"] != self._mark:
            self._mark = rows[0]["mark"]
            self._seen.clear()
        self.counting = bool(rows[0]["counting"])
        for row in rows:
            self._compare(row["oid"], Seen(row["moved"], row["file"]), row["oid"] in before)

    def _compare(self, table: int, now: Seen, announced: bool) -> None:
        last = self._seen.get(table)
        if last is None:
            self._on_write(table)
        elif now != last:
            if announced or self._announced(table):  # now: galvo began to write while we looked
                self._explained.setdefault(table, monotonic())
            else:
                self._on_write(table)
                self.unannounced[table] += 1
                self._on_unannounced(table)
        since = self._explained.get(table)
        if since is not None and (not announced or monotonic() - since >= self._patience):
            self._on_write(table)
            del self._explained[table]
        self._seen[table] = now  # last: what raised above is found again by the next look
