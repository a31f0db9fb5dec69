"""What the catalog knows of the tables in a plan."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import asyncpg
import msgspec

from galvo_index.definition import Definition
from galvo_index.plans.conditions import Comparison
from galvo_index.plans.node import Plan

SQL = """
with named as (
  select c.oid, n.nspname, c.relname, c.reltuples, c.relpages, c.relkind
  from unnest($1::text[], $2::text[]) as x(schema, name)
  join pg_catalog.pg_namespace n on n.nspname operator(pg_catalog.=) x.schema
  join pg_catalog.pg_class c on c.relnamespace operator(pg_catalog.=) n.oid
    and c.relname operator(pg_catalog.=) x.name
)
select pg_catalog.json_build_object(
  'schema', t.nspname, 'name', t.relname, 'sql', pg_catalog.format('%I.%I', t.nspname, t.relname),
  'schema_sql', pg_catalog.quote_ident(t.nspname), 'name_sql', pg_catalog.quote_ident(t.relname),
  'root', (select array[pg_catalog.quote_ident(r.relnamespace::regnamespace::name), pg_catalog.quote_ident(r.relname)]
           from pg_catalog.pg_class r where r.oid = pg_catalog.pg_partition_root(t.oid)),
  'rows', t.reltuples, 'pages', t.relpages,
  'size', case when t.relkind in ('r', 'm', 't') then pg_catalog.pg_relation_size(t.oid) else 0 end,
  'readable', pg_catalog.has_table_privilege(t.oid, 'select') and not pg_catalog.row_security_active(t.oid),
  'analyzed', s.last_analyze is not null or s.last_autoanalyze is not null,
  'modified', coalesce(s.n_mod_since_analyze, 0), 'live', coalesce(s.n_live_tup, 0),
  'columns', (
    select coalesce(pg_catalog.json_object_agg(a.attname, pg_catalog.json_build_object(
      'sql', pg_catalog.quote_ident(a.attname), 'type', pg_catalog.format_type(a.atttypid, null),
      'distinct', p.n_distinct, 'known', p.attname is not null)), '{}')
    from pg_catalog.pg_attribute a
    left join pg_catalog.pg_stats p on p.schemaname = t.nspname and p.tablename = t.relname
      and p.attname = a.attname and p.inherited = (t.relkind = 'p')
    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped),
  'indexes', (
    select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', pg_catalog.format('%I.%I', t.nspname, ic.relname), 'method', m.amname, 'valid', i.indisvalid,
      'predicate', i.indpred is not null,
      'keys', (select pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, true) order by k)
               from pg_catalog.generate_series(1, i.indnkeyatts) k),
      'columns', (select pg_catalog.json_agg(coalesce(b.attname, '') order by k)
               from pg_catalog.generate_series(1, i.indnkeyatts) k
               left join pg_catalog.pg_attribute b on b.attrelid = t.oid and b.attnum = i.indkey[k - 1]),
      'classes', (select pg_catalog.json_agg(o.opcname order by k) from pg_catalog.generate_series(1, i.indnkeyatts) k
               join pg_catalog.pg_opclass o on o.oid = i.indclass[k - 1]),
      'c', (select coalesce(pg_catalog.json_agg(
                 l.collname in ('C', 'POSIX', 'ucs_basic', 'pg_c_utf8') or l.collname = 'default' and (
                   d.datcollate in ('C', 'POSIX') or pg_catalog.to_jsonb(d) ->> 'datlocprovider' = 'b')
                 order by k), '[]')
               from pg_catalog.generate_series(1, i.indnkeyatts) k
               left join pg_catalog.pg_collation l on l.oid = i.indcollation[k - 1]
               cross join (select * from pg_catalog.pg_database where datname = pg_catalog.current_database()) d)
    )), '[]')
    from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
    join pg_catalog.pg_am m on m.oid = ic.relam
    where i.indrelid = t.oid),
  'extended', (
    select coalesce(pg_catalog.json_agg((select coalesce(pg_catalog.json_agg(b.attname), '[]')
       from pg_catalog.pg_attribute b where b.attrelid = t.oid and b.attnum = any (e.stxkeys))), '[]')
    from pg_catalog.pg_statistic_ext e where e.stxrelid = t.oid)
)
from named t left join pg_catalog.pg_stat_all_tables s on s.relid = t.oid
"""
SERVER = """
select pg_catalog.json_build_object(
  'version', pg_catalog.current_setting('server_version_num')::int,
  'work_mem', (select setting::bigint * 1024 from pg_catalog.pg_settings where name = 'work_mem'),
  'trigrams', (select installed_version is not null from pg_catalog.pg_available_extensions where name = 'pg_trgm'))
"""


class Column(msgspec.Struct, frozen=True):
    sql: str
    type: str
    distinct: float | None
    """As in pg_stats: negative is a share of the rows. None: not known."""
    known: bool
    """It has statistics."""


class Index(msgspec.Struct, frozen=True):
    name: str
    method: str
    valid: bool
    predicate: bool
    keys: tuple[str, ...]
    """As SQL."""
    columns: tuple[str, ...]
    """Names; "" for an expression."""
    classes: tuple[str, ...]
    c: tuple[bool | None, ...]
    """Whether a key sorts by bytes, as LIKE needs it."""

    @property
    def usable(self) -> bool:
        """For any row."""
        return self.valid and not self.predicate


class Table(msgspec.Struct, frozen=True):
    schema: str
    name: str
    sql: str
    schema_sql: str
    name_sql: str
    root: tuple[str, str] | None
    """The partitioned table that it is a part of, schema and name as SQL."""
    rows: float
    """As ANALYZE or VACUUM found; -1: never looked at (0 before PostgreSQL 14)."""
    pages: int
    size: int
    """Bytes."""
    readable: bool
    """We may see its statistics, if there are any."""
    analyzed: bool
    modified: int
    live: int
    columns: dict[str, Column]
    indexes: tuple[Index, ...]
    extended: tuple[tuple[str, ...], ...]
    """Columns of its extended statistics."""

    def leading(self, column: str) -> Index | None:
        """A B-tree over all rows that begins with a column."""
        return next(
            (one for one in self.indexes if one.usable and one.method == "btree" and one.columns[0] == column), None
        )

    def bare(self, comparison: Comparison) -> bool:
        """The column is used as it is; EXPLAIN shows a varchar as cast to text, which changes nothing."""
        if comparison.way == "bare":
            return True
        column = self.columns.get(comparison.column)
        return (
            comparison.way == "cast"
            and comparison.function == "text"
            and column is not None
            and (column.type in ("character varying", "name", "text"))
        )

    def index_on(self, keys: Iterable[str]) -> str:
        """CREATE INDEX; of a partition on the whole table, which cannot be done concurrently."""
        schema, name = self.root or (self.schema_sql, self.name_sql)
        return Definition(schema, name, tuple(keys)).sql(concurrently=self.root is None)

    def distinct(self, column: str) -> float | None:
        """Different values."""
        found = self.columns[column].distinct if column in self.columns else None
        return found if found is None or found >= 0 else -found * max(self.rows, self.live)


class Server(msgspec.Struct, frozen=True):
    version: int = 0
    work_mem: int = 4 << 20
    trigrams: bool | None = None
    """The extension pg_trgm is in this database; None: the server does not have it."""


class Facts(msgspec.Struct, frozen=True):
    tables: dict[tuple[str, str], Table] = {}
    server: Server = Server()

    def whole(self, subject: str) -> str:
        """The partitioned table that a table belongs to, or itself."""
        roots = {table.sql: ".".join(table.root) for table in self.tables.values() if table.root}
        return roots.get(subject, subject)

    def of(self, relation: tuple[str, str]) -> Table | None:
        return self.tables.get(relation)


async def look(connection: asyncpg.Connection, plan: Plan) -> Facts:
    """Of the plan's tables. Raises PostgresError."""
    names = sorted({node.relation for node in plan if all(node.relation)})
    rows = await connection.fetch(SQL, [schema for schema, _ in names], [name for _, name in names])
    tables = msgspec.convert([_json(row[0]) for row in rows], list[Table])
    server = msgspec.convert(_json(await connection.fetchval(SERVER)), Server)
    return Facts(of_tables(tables), server)


def of_tables(tables: Iterable[Table]) -> dict[tuple[str, str], Table]:
    return {(table.schema, table.name): table for table in tables}


def _json(value: Any) -> Any:
    """A codec of the application's may have read it already."""
    return json.loads(value) if isinstance(value, str) else value
