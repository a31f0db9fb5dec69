"""Tables and their indexes that are read from disk again and again."""

from __future__ import annotations

from galvo_index.finding import Finding
from galvo_index.health.rule import Found, ours
from galvo_index.health.server import Server
from galvo_index.health.words import size

TABLES, INDEXES = 0.90, 0.95
"""Share of blocks found in shared_buffers below which more memory helps."""
AGAIN = 3
"""Times all of it was read: the first time is nobody's fault."""

SQL = """
select s.relid::regclass::text as name,
  coalesce(heap_blks_read, 0) as heap_read, coalesce(heap_blks_hit, 0) as heap_hit,
  coalesce(idx_blks_read, 0) as index_read, coalesce(idx_blks_hit, 0) as index_hit, c.relpages::bigint as heap_pages,
  pg_stat_get_numscans(s.relid) as scans,
  (select coalesce(sum(x.relpages), 0) from pg_index i join pg_class x on x.oid = i.indexrelid
    where i.indrelid = s.relid)::bigint as index_pages
from pg_statio_all_tables s join pg_class c on c.oid = s.relid
where {ours} and coalesce(heap_blks_read, 0) + coalesce(idx_blks_read, 0) >= $1
"""


async def low_hit_ratio(server: Server) -> Found:
    """By volume and not by ratio alone: what is hardly read may come from disk."""
    facts, limits = server.facts, server.limits
    least = limits.reads / facts.block * max(1.0, facts.counted / 3600)
    buffers = size(facts.number("shared_buffers") * facts.block)
    timing = "" if facts.settings.get("track_io_timing") == "on" else "; track_io_timing = on tells what it costs"
    found: Found = []
    for row in await server.fetch(SQL.format(ours=ours("c")), int(least)):
        for part, kind, wanted in (("heap", "table", TABLES), ("index", "indexes", INDEXES)):
            read, hit, pages = row[f"{part}_read"], row[f"{part}_hit"], row[f"{part}_pages"]
            ratio = hit / (read + hit) if read else 1.0
            if read < least or read < AGAIN * pages or ratio >= wanted:
                continue
            seen = f"{ratio:.0%} of the blocks of its {kind} were in shared_buffers ({buffers}): "
            seen += f"{size(read * facts.block)} were read for {size(pages * facts.block)}"
            advice = "raise shared_buffers, or read less of it"
            if part == "heap" and row["scans"]:
                seen += f", with {row['scans']:,} sequential scans"
                advice = "see by `galvo index slow` which queries scan it whole, before raising shared_buffers"
            evidence = {"read": read, "hit": hit, "pages": pages, "ratio": ratio, "scans": row["scans"]}
            found.append(Finding("low-hit-ratio", row["name"], seen, advice + timing, "", "info", evidence))
    return found
