"""What a rule is, and the parts that the queries of many rules share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from galvo_index.finding import Finding
from galvo_index.health.report import Unknown
from galvo_index.health.server import Server

Found = list[Finding | Unknown]
Rule = Callable[[Server], Awaitable[Found]]
"""Sends one query; raises what asyncpg does."""

OURS = """{0}.relnamespace not in (select oid from pg_namespace
  where nspname in ('pg_catalog', 'information_schema', 'pg_toast') or nspname like 'pg\\_toast\\_temp\\_%'
    or nspname like 'pg\\_temp\\_%')
  and not exists (select from pg_depend e
    where e.classid = 'pg_class'::regclass and e.objid = {0}.oid and e.deptype = 'e')"""
"""Relations that the application's people made: not PostgreSQL's, not temporary, not an extension's."""


def ours(alias: str) -> str:
    """A condition on a row of pg_class."""
    return OURS.format(alias)
