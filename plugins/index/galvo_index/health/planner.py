"""Settings that make the planner avoid indexes, or plan without knowing enough."""

from __future__ import annotations

import os
from pathlib import Path

from galvo_index.finding import Finding
from galvo_index.health.rule import Found
from galvo_index.health.server import Server

SWITCHES = """
select name, source, sourcefile from pg_settings
where name like 'enable\\_%' and setting = 'off' and boot_val = 'on' and vartype = 'bool' order by name
"""
READS = """
select blks_read as reads, blk_read_time / 1000 / nullif(blks_read, 0) as seconds
from pg_stat_database where datname = current_database()
"""
ENOUGH_READS, QUICK = 10_000, 0.0005
"""A disk that turns needs ten times as long for a block that is elsewhere."""
TURNING = 3.0
"""random_page_cost that says: reading here and there is much dearer than in order."""


async def planner_switch(server: Server) -> Found:
    """For this database and role; they are for experiments in a session."""
    return [
        Finding(
            "planner-switch",
            row["name"],
            f"it is off ({row['source']}): the planner takes a worse way whenever this one would be the best",
            "switch it on; what it was to avoid has its reason in statistics or in a missing index",
            f"set {row['name']} = on",
            "warning",
            {"source": row["source"]},
        )
        for row in await server.fetch(SWITCHES)
    ]


async def statistics_target(server: Server) -> Found:
    """Below PostgreSQL's own default of 100 estimates get worse, and nothing gets faster but ANALYZE."""
    target = server.facts.number("default_statistics_target", 100)
    if target >= 100:
        return []
    seen = f"it is {target:.0f}: the planner knows {target:.0f} frequent values of a column instead of 100"
    advice = "set it to 100, and analyse"
    sql = "alter system set default_statistics_target = 100"
    return [Finding("statistics-target", "default_statistics_target", seen, advice, sql, "warning", {"target": target})]


async def random_page_cost(server: Server) -> Found:
    """Only where the disk is known: by the machine, when it is this one, or by what reads took."""
    facts = server.facts
    cost = facts.number("random_page_cost")
    if cost < TURNING * facts.number("seq_page_cost", 1.0):
        return []
    row = (await server.fetch(READS))[0]
    if row["reads"] >= ENOUGH_READS and row["seconds"] and row["seconds"] < QUICK:
        how = f"a block is read in {row['seconds'] * 1000:.2f} ms on average"
    elif facts.local and turns(facts.settings.get("data_directory", "")) is False:
        how = "the data is on a disk that does not turn"
    else:
        return []
    seen = f"it is {cost:g}, as for disks that turn, but {how}: index scans look dearer than they are"
    sql = "alter system set random_page_cost = 1.1"
    evidence = {"cost": cost, "read_seconds": row["seconds"]}
    return [
        Finding("random-page-cost", "random_page_cost", seen, "set it to 1.1, and reload", sql, "warning", evidence)
    ]


def turns(folder: str) -> bool | None:
    """Whether the disk of this folder does; None when nobody knows (containers, networks, other systems)."""
    try:
        device = os.stat(folder).st_dev
        block = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve(strict=True)
        for place in (block, block.parent):
            if (place / "queue/rotational").exists():
                return (place / "queue/rotational").read_text().strip() == "1"
    except (OSError, ValueError):
        pass
    return None
