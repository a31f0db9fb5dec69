"""The planner knows nothing of a table, or what it knows is out of date."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.misestimates import off
from galvo_index.plans.scans import MANY
from galvo_index.plans.words import count, size

ORDER = 10
PAGE = 8192
LEAST = 100 * PAGE
"""Bytes of a table that are worth a word."""


def find(case: Case) -> Iterator[Finding]:
    said = set()
    for node in case.plan:
        table = case.facts.of(node.relation)
        if table is None or not table.readable:
            continue
        analyze = f"analyze {table.sql}"
        if table.size >= LEAST and not table.analyzed and not any(one.known for one in table.columns.values()):
            case.blame(node)
            if table.sql not in said:
                yield Finding(
                    "never-analyzed",
                    table.sql,
                    f"{table.sql} has {size(table.size)}, but no statistics: its plans are guesses.",
                    "Run ANALYZE, and see why autovacuum does not.",
                    analyze,
                    evidence={"bytes": table.size},
                )
        elif table.modified >= MANY and table.modified > table.rows and (
            not node.ran or off(node.rows, node.actual, node.loops)
        ):  # fmt: skip
            case.blame(node)
            if table.sql not in said:
                yield Finding(
                    "stale-statistics",
                    table.sql,
                    f"{count(table.modified)} rows of {table.sql} were written since it was last analyzed, "
                    f"with {count(max(table.rows, 0))} rows.",
                    "Run ANALYZE, and see why autovacuum does not.",
                    analyze,
                    evidence={"modified": table.modified, "rows": table.rows},
                )
        else:
            continue
        said.add(table.sql)
