"""Whether an index has room: on the disk it goes to, and on the one where its rows are sorted."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg

from galvo_index.advise.shown import size
from galvo_index.apply.limits import Limits
from galvo_index.apply.refusals import Refused

_PLACES: Final = """
select pg_catalog.pg_has_role('pg_read_all_settings', 'usage') as readable,
  pg_catalog.pg_tablespace_location(coalesce(
    (select oid from pg_catalog.pg_tablespace
      where spcname = nullif(pg_catalog.current_setting('default_tablespace'), '')),
    (select dattablespace from pg_catalog.pg_database where datname = pg_catalog.current_database()))) as index,
  array(select pg_catalog.pg_tablespace_location(t.oid) from pg_catalog.pg_tablespace t
    where t.spcname = any(pg_catalog.regexp_split_to_array(
      pg_catalog.replace(pg_catalog.current_setting('temp_tablespaces'), '"', ''), ' *, *'))) as sorting,
  coalesce(pg_catalog.host(pg_catalog.inet_server_addr()) in ('127.0.0.1', '::1'), true) as near
"""
_TUPLE: Final = 20
"""Bytes of an index entry beside its values: header, line pointer, alignment."""


async def room(connection: asyncpg.Connection, bytes: int, limits: Limits) -> None:
    """Raises Refused when an index of `bytes` would fill a disk, or when nobody can say whether it does.

    It needs its own size, and as much again each for sorting and for the write-ahead log.
    """
    if limits.free is not None:
        _fits("the server's disk", 3 * bytes, limits.free, 0)
        return
    (places,) = await connection.fetch(_PLACES)
    data = await connection.fetchval("show data_directory") if places["near"] and places["readable"] else ""
    _look([data, places["index"] or data, *(places["sorting"][:1] or [data])], bytes, limits.reserve)


def _look(places: Sequence[str], bytes: int, reserve: float) -> None:
    """`bytes` in each of the server's folders, which may share disks."""
    needs: defaultdict[int, int] = defaultdict(int)
    disks: dict[int, str] = {}
    for place in places:
        if not place or not Path(place).is_dir():
            raise Refused(
                "how much is free on the server's disk cannot be seen from here: say it (--free BYTES, or apply_free "
                "under [index]), so that no index fills it"
            )
        disk = Path(place).stat().st_dev
        needs[disk] += bytes
        disks[disk] = place
    for disk, place in disks.items():
        seen = os.statvfs(place)
        free, whole = seen.f_bavail * seen.f_frsize, seen.f_blocks * seen.f_frsize
        _fits(f"the disk of {place}", needs[disk], free, int(reserve * whole))


def _fits(where: str, needed: int, free: int, reserve: int) -> None:
    if needed + reserve > free:
        raise Refused(
            f"{where} has {size(free)} free, and the build may need {size(needed)} "
            f"with {size(reserve)} to stay free: make room first"
        )


async def estimated(connection: asyncpg.Connection, relation: int, keys: int) -> int:
    """Bytes of an index with `keys` columns when nobody has said: by rows and widths, at most those of the table.

    Rows by the table's present size, as the planner does; without ANALYZE the size stands for them.
    """
    (found,) = await connection.fetch(
        "select pg_catalog.pg_table_size(c.oid) as bytes, c.reltuples::float8 / greatest(c.relpages, 1) * "
        "(pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8) as rows, "
        "(select pg_catalog.max(s.avg_width) from pg_catalog.pg_stats s "
        "where s.schemaname = n.nspname and s.tablename = c.relname) as width "
        "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = $1",
        relation,
    )
    if found["rows"] < 0 or found["width"] is None:
        return int(found["bytes"])
    return int(min(found["bytes"], found["rows"] * (_TUPLE + keys * found["width"])))
