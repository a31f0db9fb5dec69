"""What the rules about indexes know of them; without locks: `pg_get_indexdef` waits for whoever alters the table."""

from __future__ import annotations

from galvo_index.health.rule import ours
from galvo_index.health.server import Server

INDEX = r"""
backing as materialized (
  select conindid as oid, count(*) filter (where contype <> 'f') as made,
    count(*) filter (where contype = 'f') as referenced
  from pg_constraint where conindid <> 0 group by conindid
), index as materialized (
  select i.indexrelid as oid, i.indrelid as relation, i.indexrelid::regclass::text as name,
    i.indrelid::regclass::text as table_name, m.amname as method, c.relkind = 'I' as partitioned,
    exists (select from pg_inherits h where h.inhrelid = i.indexrelid) as attached,
    i.indnkeyatts::int as width, i.indkey::text as columns, i.indclass::text as classes,
    i.indcollation::text as collations, i.indoption::text as options,
    regexp_replace(i.indexprs::text, ' :(location|stmt_location) -?\d+', '', 'g') as expressions,
    regexp_replace(i.indpred::text, ' :(location|stmt_location) -?\d+', '', 'g') as predicate,
    i.indisunique as is_unique, i.indisprimary as is_primary, i.indisexclusion as is_exclusion,
    i.indimmediate as immediate, i.indisreplident as replica_identity, i.indisclustered as clustered,
    {distinct} as nulls_not_distinct,
    c.reloptions::text as storage, c.relpages::bigint * current_setting('block_size')::int as bytes,
    coalesce(k.made, 0) > 0 as of_constraint, coalesce(k.referenced, 0) as referenced
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    join pg_am m on m.oid = c.relam left join backing k on k.oid = i.indexrelid
  where i.indisvalid and i.indislive and {ours}
)"""
"""A common table expression: one row for every valid index on a table of ours. Location numbers in node trees say where
the words stood in somebody's CREATE INDEX."""


def described(server: Server) -> str:
    """`INDEX`, as this server can answer it."""
    distinct = server.since(15, "i.indnullsnotdistinct", "false")
    return INDEX.replace("{distinct}", distinct).replace("{ours}", ours("t"))
