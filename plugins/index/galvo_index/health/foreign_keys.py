"""Foreign keys whose columns have no index: each delete in the parent scans the child."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.rule import Found, ours
from galvo_index.health.server import Server
from galvo_index.health.words import many, size

RULE = "missing-foreign-key-index"

# The key of a partitioned table has one row for each partition on either side; what counts is whether each child with
# rows of its own is covered. An index serves when its first columns are those of the key, in any order, and it is not
# partial: `where fk is not null` is what a comparison implies, so that does.
SQL = r"""
with recursive key as (
  select oid as root, oid, conrelid, confrelid, conkey from pg_constraint where contype = 'f' and conparentid = 0
  union all
  select k.root, c.oid, c.conrelid, c.confrelid, c.conkey
  from key k join pg_constraint c on c.conparentid = k.oid and c.contype = 'f'
), usable as (
  select i.indrelid, i.indkey::int2[] as columns, i.indnkeyatts::int as width,
    substring(i.indpred::text from ':varattno (\d+)')::int2 as not_null
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
  where i.indisvalid and i.indisready and m.amname in ('btree', 'hash')
    and (i.indpred is null or i.indpred::text ~ '^\{NULLTEST :arg \{VAR [^{}]*\} :nulltesttype 1 ')
), child as (
  select distinct on (k.root, k.conrelid) k.root, k.conrelid as relation,
    greatest(c.relpages::bigint * current_setting('block_size')::int, 0) as bytes,
    greatest(c.reltuples::float8, pg_stat_get_live_tuples(c.oid), 0) as rows,
    exists (select from usable u where u.indrelid = k.conrelid and u.width >= cardinality(k.conkey)
      and (u.not_null is null or u.not_null = any(k.conkey))
      and u.columns[0:cardinality(k.conkey) - 1] @> k.conkey
      and u.columns[0:cardinality(k.conkey) - 1] <@ k.conkey) as covered
  from key k join pg_class c on c.oid = k.conrelid and c.relkind = 'r'
), parent as (
  select k.root, sum(pg_stat_get_tuples_deleted(k.confrelid)) as deleted
  from (select distinct root, confrelid from key) k group by k.root
), bare as (
  select root, sum(bytes)::bigint as bytes, sum(rows) as rows, max(bytes)::bigint as largest
  from child where not covered group by root
)
select f.conname::text as name, f.conkey::text as key, f.conrelid::regclass::text as table_name, p.deleted::bigint,
  f.confrelid::regclass::text as parent, b.bytes, b.rows, c.relkind = 'p' as partitioned,
  (select string_agg(quote_ident(a.attname), ', ' order by k.place)
    from unnest(f.conkey) with ordinality k(number, place)
    join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.number) as columns
from bare b join pg_constraint f on f.oid = b.root join parent p on p.root = b.root
  join pg_class c on c.oid = f.conrelid
where {ours} and (b.bytes >= $2 or (b.bytes >= $1 and p.deleted > 0))
order by p.deleted desc, b.bytes desc, f.oid
"""


async def missing_foreign_key_index(server: Server) -> Found:
    """When rows of the parent are deleted, or would take long to delete. Sizes are as of the last VACUUM or ANALYZE."""
    limits = server.limits
    rows = await server.fetch(SQL.replace("{ours}", ours("c")), limits.child, limits.large_child)
    found: Found = []
    served: set[tuple[str, str]] = set()
    for row in rows:
        table, parent, columns, deleted = row["table_name"], row["parent"], row["columns"], row["deleted"]
        key = (table, row["key"])
        if key in served:
            continue  # One index serves all constraints on these columns.
        served.add(key)
        what = f"no index of {table} begins with ({columns}), which refers to {parent}"
        seen = f"{what}: each delete there reads {many(row['rows'], 'row')} ({size(row['bytes'])})"
        if deleted:
            seen += f", and {many(deleted, 'row was', 'rows were')} deleted"
        how = "" if row["partitioned"] else "concurrently "
        found.append(
            Finding(
                RULE,
                f"{table}({columns})",
                seen,
                "create one, or drop the constraint" if deleted else "create one, if rows are to be deleted or joined",
                f"create index {how}on {table} ({columns})",
                "warning" if deleted else "info",
                {"constraint": row["name"], "bytes": row["bytes"], "rows": row["rows"], "deleted": deleted},
            )
        )
    return found
