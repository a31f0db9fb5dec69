"""B-trees that are mostly empty: by pgstatindex, which reads them, and by no estimate."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.report import Unknown
from galvo_index.health.rule import Found, ours
from galvo_index.health.server import Server
from galvo_index.health.words import many, size

RULE = "bloated-index"
FULL = 90.0
"""Percent: how full the leaves of a new index are."""
PART = 0.5
"""Of the index that could be empty: random inserts alone leave a quarter."""

CANDIDATES = """
candidate as (
  select c.oid, c.oid::regclass::text as name, c.relpages::bigint * current_setting('block_size')::int as bytes,
    i.indrelid::regclass::text as table_name,
    sum(c.relpages::bigint) over (order by c.relpages, c.oid) * current_setting('block_size')::int as together
  from pg_class c join pg_index i on i.indexrelid = c.oid join pg_class t on t.oid = i.indrelid
    join pg_am m on m.oid = c.relam
  where c.relkind = 'i' and m.amname = 'btree' and i.indisvalid and i.indisready
    and c.relpages::bigint * current_setting('block_size')::int >= $1 and {ours}
)"""
# The function of the extension itself: others may have made one of that name.
FUNCTION = """
select format('%I.%I', n.nspname, p.proname) as function, has_function_privilege(p.oid, 'EXECUTE') as allowed
from pg_extension e join pg_depend d on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid
    and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
  join pg_proc p on p.oid = d.objid join pg_namespace n on n.oid = p.pronamespace
where e.extname = 'pgstattuple' and p.proname = 'pgstatindex' and p.proargtypes[0] = 'regclass'::regtype
"""
COUNT = "with {candidates} select count(*) from candidate"
SQL = """
with {candidates}, fit as materialized (
  select *, bytes <= $2 and together <= $3 as fits from candidate
)
select f.*, s.* from fit f
  left join lateral (select leaf_pages, empty_pages, deleted_pages, avg_leaf_density
    from {function}(f.oid::regclass)) s on f.fits
"""


async def bloated_index(server: Server) -> Found:
    """Says how many were not examined: "none is bloated" and "none was looked at" are not the same."""
    limits, candidates = server.limits, CANDIDATES.format(ours=ours("t"))
    functions = await server.fetch(FUNCTION)
    if not functions or not functions[0]["allowed"]:
        count = (await server.fetch(COUNT.format(candidates=candidates), limits.index))[0][0]
        why = "the extension pgstattuple is not installed: create extension pgstattuple"
        if functions:
            why = "this role may not run pgstatindex: grant it pg_stat_scan_tables"
        return [Unknown(RULE, f"{many(count, 'index', 'indexes')} not examined, as {why}")] if count else []
    sql = SQL.format(candidates=candidates, function=functions[0]["function"])
    rows = await server.fetch(sql, limits.index, limits.examined, limits.examined_together)
    found: Found = []
    for row in rows:
        if not row["fits"]:
            continue
        free = row["leaf_pages"] * max(0.0, 1 - row["avg_leaf_density"] / FULL) if row["leaf_pages"] else 0.0
        waste = (free + row["empty_pages"] + row["deleted_pages"]) * server.facts.block
        if waste < limits.waste or waste < PART * row["bytes"]:
            continue
        found.append(
            Finding(
                RULE,
                row["name"],
                f"{size(waste)} of its {size(row['bytes'])} are empty (leaves {row['avg_leaf_density']:.0f} % full, "
                f"{many(row['deleted_pages'], 'page')} deleted)",
                f"build it anew; {row['table_name']} stays writable meanwhile",
                f"reindex index concurrently {row['name']}",
                "warning",
                {"bytes": row["bytes"], "waste": waste, "leaf_density": row["avg_leaf_density"]},
            )
        )
    left = [row["bytes"] for row in rows if not row["fits"]]
    if left:
        why = f"{many(len(left), 'index', 'indexes')} not examined, as reading {size(sum(left))} takes its time"
        found.append(Unknown(RULE, f"{why}: ask pgstatindex for those that matter"))
    return found
