"""How many connections one process may have at most: what the server has to give, shared with everybody else.

Processes that share say so in `application_name`: each appends a token of its own (`shop galvo/1f00ba47`). Those of
the same name and user get equal parts. Nothing has to be kept for that, and a process that is gone no longer counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

FILL = 0.85
"""The pools plan with this share of the server's connections: the rest is for whoever comes next."""
BACKEND = 10 * 2**20
"""Bytes of a backend with warm caches."""
REMOTE = 8
"""Connections to start with when the server's cores are not known."""
NAME_BYTES = 63
"""PostgreSQL cuts longer names."""
TOKEN = re.compile(r"(?:^| )galvo/[0-9a-f]{8}$")

# Of other users' backends one sees name, database and user, but not the kind: what has no user is none of clients.
# An empty setting means that this server does not know it (reserved_connections: since 16).
CEILING_SQL = r"""
select s.most, s.superuser, s.reserved, a.total, a.own, a.ours, a.workers, a.of_user, a.of_database,
    r.rolconnlimit as user_limit, d.datconnlimit as database_limit
from (
    select current_setting('max_connections')::int as most,
        current_setting('superuser_reserved_connections')::int as superuser,
        coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int as reserved
) s, (
    select count(*)::int as total,
        count(*) filter (where ours and application_name = me.name)::int as own,
        count(*) filter (where ours)::int as ours,
        (count(distinct application_name) filter (where ours))::int as workers,
        count(*) filter (where usename = session_user)::int as of_user,
        count(*) filter (where datname = current_database())::int as of_database
    from (select current_setting('application_name') as name) me, lateral (
        select usename, datname, application_name, usename = session_user
            and me.name ~ '(^| )galvo/[0-9a-f]{8}$' and application_name ~ '(^| )galvo/[0-9a-f]{8}$'
            and left(application_name, -14) = left(me.name, -14) as ours
        from pg_stat_activity
        where usename is not null and coalesce(backend_type, 'client backend') = 'client backend'
    ) seen
) a, pg_roles r, pg_database d
where r.rolname = session_user and d.datname = current_database()
"""
"""One round trip, for users without privileges too; its row goes to `ceiling`."""
LOCAL_SQL = "select pg_catalog.inet_server_addr() is null or pg_catalog.inet_server_addr() << '127.0.0.0/8'::inet"
"""Whether the server is on this machine."""


class Ceiling(NamedTuple):
    most: int
    """Connections, at least 1."""
    why: str
    """In a sentence."""


def named(name: str, token: int) -> str:
    """The `application_name` of a process: `name` (may be empty) with its token, in what PostgreSQL keeps."""
    tail = f"galvo/{token & 0xFFFFFFFF:08x}"
    room = NAME_BYTES - len(tail) - 1
    head = TOKEN.sub("", name).encode()[:room].decode(errors="ignore").rstrip()
    return f"{head} {tail}" if head else tail


def ceiling(
    row: Mapping[str, Any], *, most: int | None, has: int = 0, memory: int | None = None, workers: int | None = None
) -> Ceiling:
    """From a row of CEILING_SQL. `most`: what the user allows; `has`: connections this process has, for those that are
    seen under another name; `memory`: bytes that backends of this machine may take, None for a remote server;
    `workers`: processes that share, None counts them."""
    count = max(1, workers or row["workers"])
    own = max(row["own"], has)
    ours = max(row["ours"] - row["own"] + own, 1)
    places = [
        (row["most"] - row["superuser"] - row["reserved"], row["total"], "the server"),
        (row["user_limit"], row["of_user"], "the user (CONNECTION LIMIT)"),
        (row["database_limit"], row["of_database"], "the database (CONNECTION LIMIT)"),
    ]
    found = [_share(size, used, own, ours, count, what) for size, used, what in places if size >= 0]
    if memory is not None:
        found.append(Ceiling(memory // BACKEND // count, f"memory has room for {memory // BACKEND} backends"))
    if most is not None:
        found.append(Ceiling(most, f"max_size is {most}"))
    least = min(found, key=lambda one: one.most)
    number = max(1, least.most)
    return Ceiling(number, f"at most {number} connection{'s' if number > 1 else ''}: {least.why}")


def _share(size: int, used: int, own: int, ours: int, workers: int, what: str) -> Ceiling:
    """An equal part of what others leave, and no more than is free now: others may still have to give back."""
    others = max(0, used - ours)
    part = int((FILL * size - others) / workers)
    free = own + max(0, size - used)
    among = f", shared by {workers} processes" if workers > 1 else ""
    return Ceiling(min(part, max(own, free)), f"{what} has room for {size} in all, others use {others}{among}")


def start_size(cores: int, *, local: bool) -> int:
    """Connections to start with: for a server on this machine what keeps its cores and one disk busy, the formula of
    the PostgreSQL wiki ("Number Of Database Connections")."""
    return 2 * cores + 1 if local else REMOTE
