"""What a table needs now, and what is left to autovacuum."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from galvo_index.upkeep.facts import Table
from galvo_index.upkeep.thresholds import Thresholds

EARLY: Final = 0.5
"""The part of a threshold from which it is better passed now, off-peak, than at any hour."""
EARLY_AGE: Final = 0.75
FEW: Final = 1000
"""Rows; fewer are not worth to be early for."""
SEEN: Final = 0.5
"""The part of the pages that index-only scans may have to read."""
PAGES: Final = 1000
"""A smaller table costs them nothing."""
LATE: Final = 5
"""Naptimes after which autovacuum has had its chance."""

Action = Literal["vacuum", "freeze", "analyze", "leave"]
_SQL: Final = {
    "vacuum": "vacuum (analyze, skip_locked, truncate false)",
    "freeze": "vacuum (freeze, analyze, skip_locked, truncate false)",
    "analyze": "analyze (skip_locked)",
}


class Need(msgspec.Struct, frozen=True):
    oid: int
    table: str
    action: Action
    why: str
    urgency: float = 0.0
    """The part of its threshold that is reached; what is most urgent is done first."""

    @property
    def sql(self) -> str:
        """Truncating would lock readers out; "" for `leave`."""
        return f"{_SQL[self.action]} {self.table}" if self.action in _SQL else ""


def need(table: Table, limits: Thresholds, waited: float = 0.0) -> Need | None:
    """None: nothing. `waited`: seconds for which autovacuum has been due here, as far as is known."""

    def so(action: Action, why: str, urgency: float) -> Need:
        return Need(table.oid, table.name, action, why, urgency)

    if table.kind == "p":
        return None if table.analyzed else so("analyze", "partitioned, which autovacuum never analyzes", 1.0)
    due = _due(table, limits)
    if table.working:
        return so("leave", "it is being vacuumed or analyzed now", 0.0) if due or _early(table, limits) else None
    if due is None:
        return _early(table, limits)
    if due.action == "freeze":
        return so("leave", f"autovacuum is about to take it, to prevent wraparound: {due.why}", due.urgency)
    if not limits.enabled:
        return so(due.action, f"{due.why}, and autovacuum is off for it", due.urgency)
    if waited >= LATE * limits.naptime:
        return so(due.action, f"{due.why}, and autovacuum has not come for {waited:.0f} s", due.urgency)
    return so("leave", f"{due.why}: autovacuum is about to take it", due.urgency)


def _due(table: Table, limits: Thresholds) -> Need | None:
    """What autovacuum would do, by its own rules."""
    if table.age > limits.age or table.multi_age > limits.multi_age:
        return Need(table.oid, table.name, "freeze", _age(table, limits), max(_ages(table, limits)))
    if table.dead > limits.dead:
        why = f"{table.dead:,} dead rows, and its threshold is {limits.dead:,.0f}"
        return Need(table.oid, table.name, "vacuum", why, _part(table.dead, limits.dead))
    if table.inserted > limits.inserted:
        why = f"{table.inserted:,} rows inserted since a vacuum, and its threshold is {limits.inserted:,.0f}"
        return Need(table.oid, table.name, "vacuum", why, _part(table.inserted, limits.inserted))
    if table.modified > limits.modified:
        why = f"{table.modified:,} rows changed since ANALYZE, and its threshold is {limits.modified:,.0f}"
        return Need(table.oid, table.name, "analyze", why, _part(table.modified, limits.modified))
    return None


def _early(table: Table, limits: Thresholds) -> Need | None:
    """What would fall due at any hour."""
    if max(_ages(table, limits)) >= EARLY_AGE:
        return Need(table.oid, table.name, "freeze", _age(table, limits), max(_ages(table, limits)))
    for count, threshold, what in (
        (table.dead, limits.dead, "dead rows"),
        (table.inserted, limits.inserted, "rows inserted since a vacuum"),
    ):
        if count >= FEW and _part(count, threshold) >= EARLY:
            why = f"{count:,} {what}, {_part(count, threshold):.0%} of what autovacuum waits for"
            return Need(table.oid, table.name, "vacuum", why, _part(count, threshold))
    hidden = table.pages - table.visible
    if (
        table.pages >= PAGES
        and hidden > SEEN * table.pages
        and table.index_scans > table.scans
        and table.dead + table.inserted >= FEW
    ):
        why = f"index-only scans have to read the table for {hidden:,} of its {table.pages:,} pages"
        return Need(table.oid, table.name, "vacuum", why, EARLY)
    if table.modified >= FEW and _part(table.modified, limits.modified) >= EARLY:
        why = f"{table.modified:,} rows changed since ANALYZE, {_part(table.modified, limits.modified):.0%} of what "
        return Need(
            table.oid, table.name, "analyze", f"{why}autovacuum waits for", _part(table.modified, limits.modified)
        )
    return None


def _ages(table: Table, limits: Thresholds) -> tuple[float, float]:
    return _part(table.age, limits.age), _part(table.multi_age, limits.multi_age)


def _age(table: Table, limits: Thresholds) -> str:
    return f"its oldest transaction is {max(_ages(table, limits)):.0%} of the way to where a freeze is forced"


def _part(count: float, threshold: float) -> float:
    return count / threshold if threshold > 0 else float(count > 0)
