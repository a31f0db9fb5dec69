"""Constraints that do not say what they seem to say."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.rule import Found, ours
from galvo_index.health.server import Server
from galvo_index.health.words import many

# In 18 NOT ENFORCED is what somebody asked for.
UNVALIDATED = """
select format('alter table %s validate constraint %I', k.conrelid::regclass, k.conname) as statement,
  k.conname::text as name, k.conrelid::regclass::text as table_name, c.relpages::bigint as pages
from pg_constraint k join pg_class c on c.oid = k.conrelid
where not k.convalidated and k.conparentid = 0 and {enforced} and {ours}
"""

UNCHECKED = """
select t.tgrelid::regclass::text as table_name, k.conname::text as name, k.conrelid::regclass::text as child,
  k.confrelid::regclass::text as parent,
  format('alter table %s enable trigger all', t.tgrelid::regclass) as statement
from pg_trigger t join pg_constraint k on k.oid = t.tgconstraint join pg_class c on c.oid = t.tgrelid
where t.tgisinternal and t.tgenabled = 'D' and k.contype = 'f' and {ours}
group by t.tgrelid, k.oid, k.conname, k.conrelid, k.confrelid
"""

TWICE = """
select (array_agg(conname::text order by oid))[1] as kept, (array_agg(conname::text order by oid))[2] as name,
  conrelid::regclass::text as table_name, confrelid::regclass::text as parent, count(*),
  format('alter table %s drop constraint %I', conrelid::regclass, (array_agg(conname order by oid))[2]) as statement
from pg_constraint where contype = 'f' and conparentid = 0
group by conrelid, confrelid, conkey, confkey, confdeltype, confupdtype, confmatchtype, condeferrable, condeferred
having count(*) > 1
"""


async def unvalidated_constraint(server: Server) -> Found:
    """The planner believes none of them, and rows from before may break them."""
    enforced = server.since(18, "k.conenforced", "true")
    return [
        Finding(
            "unvalidated-constraint",
            f"{row['table_name']}, constraint {row['name']}",
            "it is NOT VALID: rows that were there before it were never checked",
            "validate it; reads and writes go on meanwhile",
            row["statement"],
            "info",
            {"pages": row["pages"]},
        )
        for row in await server.fetch(UNVALIDATED.format(enforced=enforced, ours=ours("c")))
    ]


async def unchecked_foreign_key(server: Server) -> Found:
    """After DISABLE TRIGGER ALL, which loads of data use and then forget."""
    return [
        Finding(
            "unchecked-foreign-key",
            f"{row['table_name']}, constraint {row['name']}",
            f"its triggers are disabled: rows of {row['child']} may refer to rows of {row['parent']} that do not exist",
            "enable them; drop and add the constraint to have what is there checked",
            row["statement"],
        )
        for row in await server.fetch(UNCHECKED.format(ours=ours("c")))
    ]


async def duplicate_foreign_key(server: Server) -> Found:
    """The same columns, the same parent, the same actions."""
    return [
        Finding(
            "duplicate-foreign-key",
            f"{row['table_name']}, constraint {row['name']}",
            f"{many(row['count'], 'constraint')} say the same about {row['parent']}: each write checks all of them",
            f"drop it: {row['kept']} stays",
            row["statement"],
        )
        for row in await server.fetch(TWICE)
    ]
