"""What an index costs the writes of its table.

Source: measurements in this project's research: each index adds about as much CPU as the insertion of the row itself;
an update is heap-only, and touches no index, until an index is on a column that it sets, and then it touches all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.catalog.table import Table

ENTRY = 4.0
"""Microseconds for one entry of one index."""
GIN_ENTRIES = 8.0
LOST_HOT = 8.0
"""... and for what an update that is not heap-only leaves to clean up."""


@dataclass(slots=True)
class Traffic:
    """Rows that are written to a table, in the time or the calls that the workload stands for."""

    inserted: float = 0.0
    deleted: float = 0.0
    updates: dict[frozenset[str], float] = field(default_factory=lambda: defaultdict(float))
    """By the columns that are set."""

    @property
    def rows(self) -> float:
        return self.inserted + self.deleted + sum(self.updates.values())


class Writes:
    def __init__(self, traffic: Mapping[int, Traffic]) -> None:
        """By the tables' OIDs."""
        self._traffic = traffic

    def cost(self, indexes: Iterable[Candidate]) -> float:
        by_table: dict[int, list[Candidate]] = defaultdict(list)
        for one in indexes:
            by_table[one.table.oid].append(one)
        return sum(self._of(chosen[0].table, chosen) for oid, chosen in by_table.items() if oid in self._traffic)

    def part(self, one: Candidate) -> float:
        """What it adds to the work of the table's writes, which is 1 for the row and 1 for each index."""
        traffic = self._traffic.get(one.table.oid)
        if traffic is None or not traffic.rows:
            return 0.0
        return self._of(one.table, [one]) / (traffic.rows * ENTRY * (1 + len(one.table.indexes)))

    def _of(self, table: Table, chosen: list[Candidate]) -> float:
        """Beyond what writes cost with the existing indexes."""
        traffic = self._traffic[table.oid]
        entries = {one: ENTRY * one.part * (GIN_ENTRIES if one.method == "gin" else 1.0) for one in chosen}
        total = (traffic.inserted) * sum(entries.values())
        held = {name for index in table.indexes for name, text in table.quoted.items() if text in index.keys}
        for columns, rows in traffic.updates.items():
            touched = [one for one in chosen if columns & _read(one)]
            if columns & held:  # such updates have not been heap-only before
                total += rows * sum(entries.values())
            elif touched:
                worst = max(one.part for one in touched)
                total += rows * (sum(entries.values()) + worst * (ENTRY * len(table.indexes) + LOST_HOT))
        return total


def _read(one: Candidate) -> frozenset[str]:
    return one.all_columns | frozenset(one.fixed)
