"""All rows are sorted for the first few of them, which an index would have had in order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.conditions import comparisons
from galvo_index.plans.facts import Table
from galvo_index.plans.node import Node
from galvo_index.plans.scans import MANY, PAGES, workers
from galvo_index.plans.words import count, estimated, shown

ORDER = 95
FEW = 0.01
KEY = re.compile(r'(?:(?:"(?:[^"]|"")+"|\w+)\.)?((?:"(?:[^"]|"")+"|\w+))((?: DESC| NULLS FIRST| NULLS LAST)*)')
"""A bare column, and its direction."""


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        below = node.children[0] if node.children else None
        if below is not None and below.type in ("Gather", "Gather Merge") and below.children:
            below = below.children[0]
        if node.type != "Limit" or below is None or below.type != "Sort" or not below.children:
            continue
        scan = below.children[0]
        table = case.facts.of(scan.relation)
        if scan.type != "Seq Scan" or table is None or table.pages < PAGES or not case.free(scan):
            continue
        rows = scan.given if scan.ran else scan.rows * workers(scan)
        keys = _keys(below, table)
        equal = _equal(scan, table)
        if rows < MANY or node.given > FEW * rows or not keys or (equal is None):
            continue
        wanted = [*equal, *keys]
        if any(one.usable and one.method == "btree" and one.keys[: len(wanted)] == tuple(wanted)
               for one in table.indexes):  # fmt: skip
            continue
        if not equal and table.leading(keys[0].split(" ")[0].strip('"')) and len(keys) == 1:
            continue  # backwards, perhaps: the planner could have used it
        case.blame(scan)
        yield Finding(
            "sort-for-limit",
            table.sql,
            f"{estimated(scan)}{count(rows)} rows of {table.sql} are sorted by "
            f"{shown(', '.join(below.raw['Sort Key']))} to give {count(node.given)}.".capitalize()
            if not scan.ran
            else f"{count(rows)} rows of {table.sql} are sorted by {shown(', '.join(below.raw['Sort Key']))} "
            f"to give {count(node.given)}.",
            "Create an index in that order.",
            table.index_on(wanted),
            evidence={"sorted": rows, "given": node.given, "measured": scan.ran},
        )


def _keys(sort: Node, table: Table) -> list[str]:
    """The sort's keys for an index; empty when one is no bare column."""
    found = []
    for key in sort.raw.get("Sort Key", ()):
        match = KEY.fullmatch(key)
        names = {column.sql for column in table.columns.values()}
        if match is None or match[1] not in names:
            return []
        found.append(match[1] + match[2].lower())
    return found


def _equal(scan: Node, table: Table) -> list[str] | None:
    """Columns that the filter compares for equality; None when it does something else, too."""
    text = scan.text("Filter")
    if not text:
        return []
    found = comparisons(text)
    if not found or any(one.operator != "=" or not table.bare(one) or one.other for one in found):
        return None
    return [table.columns[one.column].sql for one in found if one.column in table.columns]
