"""When autovacuum acts on a table, computed as it does (PostgreSQL 13 to 18, `relation_needs_vacanalyze`)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from galvo_index.upkeep.facts import Table


class Thresholds(msgspec.Struct, frozen=True):
    dead: float
    """Dead rows from which it vacuums."""
    inserted: float
    """Inserted rows from which it vacuums; infinite where that is off."""
    modified: float
    """Changed rows from which it analyzes."""
    age: float
    """Transactions from which it vacuums whatever the settings, to prevent wraparound."""
    multi_age: float
    enabled: bool
    """Whether it acts on this table at all, but for wraparound."""
    naptime: float
    """Seconds between its looks at a database."""


def thresholds(table: Table, settings: Mapping[str, str]) -> Thresholds:
    def number(name: str, default: float = -1.0) -> float:
        """The table's own where it has one. Its freeze age can only be lower than the server's."""
        general = float(settings.get(f"autovacuum_{name}", default))
        own = table.options.get(f"autovacuum_{name}")
        if own is None:
            return general
        return min(float(own), general) if name.endswith("freeze_max_age") else float(own)

    rows = max(0.0, table.rows)
    dead = number("vacuum_threshold") + number("vacuum_scale_factor") * rows
    most = number("vacuum_max_threshold")  # from 18 on
    base, unfrozen = number("vacuum_insert_threshold"), 1.0
    if table.frozen is not None and table.pages > 0:
        unfrozen = 1 - min(table.frozen, table.pages) / table.pages
    return Thresholds(
        dead=min(dead, most) if most >= 0 else dead,
        inserted=base + number("vacuum_insert_scale_factor") * rows * unfrozen if base >= 0 else float("inf"),
        modified=number("analyze_threshold") + number("analyze_scale_factor") * rows,
        age=number("freeze_max_age"),
        multi_age=number("multixact_freeze_max_age"),
        enabled=settings.get("autovacuum") == "on"
        and settings.get("track_counts") == "on"
        and table.options.get("autovacuum_enabled", "true").lower() in ("true", "on", "yes", "1"),
        naptime=float(settings.get("autovacuum_naptime", 60)),
    )
