"""Sequences and integer columns that are nearly used up: the insert after the last number fails."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.report import Unknown
from galvo_index.health.rule import Found, ours
from galvo_index.health.server import Server
from galvo_index.health.words import many

CRITICAL = 0.95
LARGEST = "case {0} when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647 end::numeric"

# A column says it by owning the sequence (serial, identity), or by its default alone; the smaller of both ranges
# counts. A sequence that goes down is used up from the other end.
SEQUENCES = """
with user_of as (
  select d.objid as sequence, d.refobjid as relation, d.refobjsubid as number, d.deptype = 'i' as identity
  from pg_depend d
  where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    and d.refobjsubid > 0
  union
  select d.refobjid, f.adrelid, f.adnum, false from pg_depend d join pg_attrdef f on f.oid = d.objid
  where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
), used as (
  select s.seqrelid, s.seqincrement > 0 as up, s.seqmax, s.seqmin, u.relation, a.atttypid, a.attname, u.identity,
    {readable} as readable, case when {readable} then pg_sequence_last_value(s.seqrelid::regclass) end as last
  from pg_sequence s join pg_class c on c.oid = s.seqrelid
    left join user_of u on u.sequence = s.seqrelid
    left join pg_attribute a on a.attrelid = u.relation and a.attnum = u.number
  where not s.seqcycle and c.relpersistence <> 't' and (c.relpersistence <> 'u' or not pg_is_in_recovery()) and {ours}
), measured as (
  select *, case when up then least(seqmax, {largest}) else greatest(seqmin, -{largest}) end as most,
    case when up then seqmin else seqmax end as first
  from used
)
select seqrelid::regclass::text as name, relation::regclass::text as table_name, quote_ident(attname) as column_name,
  format_type(atttypid, null) as type, most, last, readable,
  ((abs(last - first) + 1) / (abs(most - first) + 1))::float8 as share,
  'alter table ' || relation::regclass || ' alter column ' || quote_ident(attname) || ' type bigint' as widen, identity,
  'alter sequence ' || seqrelid::regclass || ' as bigint '
    || case when up then 'maxvalue 9223372036854775807' else 'minvalue -9223372036854775808' end as raise
from measured where not readable or (abs(last - first) + 1) / (abs(most - first) + 1) >= $1
"""

# What an application numbers itself, and what refers to such keys: the largest value that ANALYZE met.
COLUMNS = """
select distinct on (a.attrelid, a.attnum)
  a.attrelid::regclass::text as table_name, quote_ident(a.attname) as column_name,
  format_type(a.atttypid, null) as type, m.largest::bigint, (m.largest / {largest})::float8 as share,
  format('alter table %s alter column %I type bigint', a.attrelid::regclass, a.attname) as widen
from (select distinct k.conrelid as relation, k.conkey[1] as number from pg_constraint k
    where k.contype in ('p', 'f') and cardinality(k.conkey) = 1) k
  join pg_attribute a on a.attrelid = k.relation and a.attnum = k.number
  join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = a.attname
  cross join lateral (select max(v)::numeric as largest from unnest(
    case when a.atttypid in ('int2'::regtype, 'int4'::regtype) then
      coalesce(s.histogram_bounds::text::text[]::bigint[], '{{}}') ||
      coalesce(s.most_common_vals::text::text[]::bigint[], '{{}}') end) v) m
where a.atttypid in ('int2'::regtype, 'int4'::regtype) and m.largest / {largest} >= $1 and {ours}
  and not c.relispartition and pg_get_serial_sequence(a.attrelid::regclass::text, a.attname) is null
order by a.attrelid, a.attnum, share desc
"""


async def exhausted_sequence(server: Server) -> Found:
    """Also a bigint sequence that fills an integer column."""
    allowed = "has_sequence_privilege(s.seqrelid, 'USAGE, SELECT')"
    largest = f"coalesce({LARGEST.format('atttypid')}, 9223372036854775807)"
    sql = SEQUENCES.format(readable=allowed, largest=largest, ours=ours("c"))
    found: Found = []
    hidden = 0
    for row in await server.fetch(sql, server.limits.used_up):
        if not row["readable"]:
            hidden += 1
            continue
        narrow = row["type"] in ("integer", "smallint")
        where = f"; it numbers {row['table_name']}({row['column_name']}), {row['type']}" if row["table_name"] else ""
        advice, sql = "let it go further, or let it cycle if its numbers may come again", row["raise"]
        if narrow:
            # An identity column takes its sequence along.
            sql = row["widen"] if row["identity"] else f"{row['widen']}; {row['raise']}"
            advice = f"widen {row['column_name']} to bigint before; that rewrites the table under a lock"
        found.append(
            Finding(
                "exhausted-sequence",
                row["name"],
                f"{int(row['share'] * 100)} % of it are used: {row['last']:,} of {row['most']:,}{where}",
                advice,
                sql,
                "critical" if row["share"] >= CRITICAL else "warning",
                {"last": row["last"], "largest": int(row["most"]), "share": row["share"]},
            )
        )
    if hidden:
        why = f"{many(hidden, 'sequence is', 'sequences are')} not readable for this role: grant it SELECT on them"
        found.append(Unknown("exhausted-sequence", why))
    return found


async def exhausted_integer(server: Server) -> Found:
    """Keys and foreign keys without a sequence of their own; as of the last ANALYZE, of tables this role may read."""
    sql = COLUMNS.format(largest=LARGEST.format("a.atttypid"), ours=ours("c"))
    return [
        Finding(
            "exhausted-integer",
            f"{row['table_name']}({row['column_name']})",
            f"it reaches {row['largest']:,}, {int(row['share'] * 100)} % of what {row['type']} holds",
            "widen it to bigint before; that rewrites the table under a lock",
            row["widen"],
            "critical" if row["share"] >= CRITICAL else "warning",
            {"largest": row["largest"], "share": row["share"]},
        )
        for row in await server.fetch(sql, server.limits.used_up)
    ]
