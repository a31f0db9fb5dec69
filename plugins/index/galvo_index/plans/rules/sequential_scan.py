"""A table is read from end to end for a few of its rows, and no index could have been used."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.conditions import Comparison, comparisons
from galvo_index.plans.facts import Table
from galvo_index.plans.scans import wasteful
from galvo_index.plans.words import count, estimated, shown

ORDER = 90
EQUAL = ("=", "is null")
RANGE = ("<", "<=", ">", ">=")
UNORDERED = frozenset({"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "tid"})
"""Types without a B-tree."""


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        scan = wasteful(case, node) if case.free(node) else None
        if scan is None:
            continue
        usable = [
            one
            for one in comparisons(node.text("Filter"))
            if scan.table.bare(one) and one.operator in (*EQUAL, *RANGE) and one.column in scan.table.columns
            and node.alias not in one.other and scan.table.columns[one.column].type not in UNORDERED
        ]  # fmt: skip
        if not usable or any(scan.table.leading(one.column) for one in usable):
            continue
        case.blame(node)
        about = estimated(node)
        yield Finding(
            "sequential-scan",
            scan.table.sql,
            f"All {count(scan.read)} rows of {scan.table.sql} are read to keep {about}{count(scan.kept)} of them "
            f"by {shown(node.text('Filter'))}.",
            "Create an index on what the filter compares.",
            scan.table.index_on(keys(scan.table, usable)),
            evidence={"read": scan.read, "kept": scan.kept, "measured": node.ran},
        )


def keys(table: Table, usable: list[Comparison]) -> list[str]:
    """Columns as SQL: those compared for equality, the most selective first, then one that has a range."""

    def different(column: str) -> float:
        return -(table.distinct(column) or 0)

    equal = sorted({one.column for one in usable if one.operator in EQUAL}, key=different)[:3]
    ranges = [one.column for one in usable if one.operator in RANGE and one.column not in equal][:1]
    return [table.columns[name].sql for name in (*equal, *ranges)]
