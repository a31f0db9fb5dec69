"""A LIKE on a large table that no index serves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.conditions import Comparison, comparisons
from galvo_index.plans.facts import Server
from galvo_index.plans.scans import Scan, wasteful
from galvo_index.plans.words import count, estimated

ORDER = 25
PATTERN_CLASSES = {"text": "text_pattern_ops", "character varying": "varchar_pattern_ops",
                   "character": "bpchar_pattern_ops"}  # fmt: skip


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        scan = wasteful(case, node) if case.free(node) else None
        if scan is None:
            continue
        for one in comparisons(node.text("Filter")):
            kind = scan.table.columns[one.column].type if one.column in scan.table.columns else ""
            if one.pattern is None or not scan.table.bare(one) or kind not in PATTERN_CLASSES:
                continue
            found = _prefix(scan, one) if one.operator == "~~" and prefix(one.pattern) else None
            if (found is None and not prefix(one.pattern)) or (found is None and one.operator == "~~*"):
                found = _infix(scan, one, case.facts.server)
            if found is not None:
                case.blame(node)
                yield found
                break


def prefix(pattern: str) -> str:
    """What every match begins with."""
    return re.split(r"[%_\\]", pattern, maxsplit=1)[0]


def _prefix(scan: Scan, one: Comparison) -> Finding | None:
    table, column = scan.table, scan.table.columns[one.column]
    index = table.leading(one.column)
    if index is not None and (index.c[0] or "pattern" in index.classes[0]):
        return None  # it could have been used
    why = (
        f"{index.name} sorts by the collation, not by bytes, so LIKE cannot use it"
        if index is not None
        else "no index can be used"
    )
    return Finding(
        "like-prefix",
        table.sql,
        f"LIKE on {column.sql} of {table.sql} looks for a beginning, and {why}: {_effort(scan)}.",
        "Create an index that sorts by bytes.",
        table.index_on([f"{column.sql} {PATTERN_CLASSES[column.type]}"]),
        evidence={"index": index.name if index else "", "read": scan.read, "kept": scan.kept},
    )


def _infix(scan: Scan, one: Comparison, server: Server) -> Finding | None:
    table, column = scan.table, scan.table.columns[one.column]
    if any("trgm" in name for index in table.indexes for name in index.classes):
        return None
    extension = "" if server.trigrams else "create extension pg_trgm; "
    create = (
        f"{extension}create index concurrently on {table.sql} using gin ({column.sql} gin_trgm_ops)"
        if server.trigrams is not None
        else ""
    )
    advice = "Create a trigram index (pg_trgm), which finds text anywhere in a value."
    if not create:
        advice += " This server does not have the extension: install it first."
    word = "ILIKE" if one.operator == "~~*" else "LIKE"
    return Finding(
        "like-infix",
        table.sql,
        f"{word} on {column.sql} of {table.sql} does not look for a beginning, which no B-tree finds: {_effort(scan)}.",
        advice,
        create,
        evidence={"read": scan.read, "kept": scan.kept},
    )


def _effort(scan: Scan) -> str:
    return f"all {count(scan.read)} rows are read to keep {estimated(scan.node)}{count(scan.kept)}"
