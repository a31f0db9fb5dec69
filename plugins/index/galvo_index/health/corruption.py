"""Signs that data on disk is not what it should be."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.rule import Found
from galvo_index.health.server import Server
from galvo_index.health.words import many

CHECKSUMS = """
select coalesce(datname, '(shared)')::text as database, checksum_failures as failures,
  checksum_last_failure::text as last
from pg_stat_database where checksum_failures > 0
"""

# Only collations that an index sorts by; 15 and later know the version of the database's own too.
COLLATIONS = """
select 'collation' as kind, c.oid::regcollation::text as name, c.collversion as made,
  pg_collation_actual_version(c.oid) as now, count(distinct i.indexrelid) as indexes,
  format('alter collation %s refresh version', c.oid::regcollation) as statement,
  format('reindex database concurrently %I', current_database()) as reindex
from pg_collation c join pg_index i on c.oid = any(i.indcollation::oid[])
where c.collversion is not null and c.collversion <> pg_collation_actual_version(c.oid)
group by c.oid, c.collversion
"""
DATABASE = """
union all
select 'database', quote_ident(d.datname), d.datcollversion, pg_database_collation_actual_version(d.oid),
  (select count(distinct i.indexrelid) from pg_index i
    where 'pg_catalog.default'::regcollation = any(i.indcollation::oid[])),
  format('alter database %I refresh collation version', d.datname),
  format('reindex database concurrently %I', d.datname)
from pg_database d where d.datname = current_database() and d.datcollversion is not null
  and d.datcollversion <> pg_database_collation_actual_version(d.oid)
"""


async def checksum_failures(server: Server) -> Found:
    """Of all databases; some are seen when a page is read, others wait for that."""
    return [
        Finding(
            "checksum-failure",
            f"database {row['database']}",
            f"{many(row['failures'], 'page was', 'pages were')} read with a wrong checksum, the last at {row['last']}",
            "look for the page in the server's log, restore it from a backup, and distrust the disk",
            "",
            "critical",
            {"failures": row["failures"]},
        )
        for row in await server.fetch(CHECKSUMS)
    ]


async def collation_version(server: Server) -> Found:
    """An index that was sorted by other rules misses rows, and lets values in twice."""
    found: Found = []
    for row in await server.fetch(COLLATIONS + server.since(15, DATABASE)):
        seen = (
            f"its indexes were sorted by version {row['made']} of the {row['kind']}, and the system has {row['now']} "
        )
        seen += f"now: {many(row['indexes'], 'index', 'indexes')} may miss rows"
        found.append(
            Finding(
                "collation-version",
                f"{row['kind']} {row['name']}",
                seen,
                f"build the indexes on text anew, and only then say so: {row['statement']}",
                row["reindex"],
                "critical",
                {"made": row["made"], "now": row["now"], "indexes": row["indexes"]},
            )
        )
    return found
