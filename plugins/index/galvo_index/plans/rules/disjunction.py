"""An OR keeps few rows, but no index serves all of its arms."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.conditions import Comparison, conditions
from galvo_index.plans.node import Node
from galvo_index.plans.scans import FEW, MANY, wasteful
from galvo_index.plans.words import count, estimated, shown

ORDER = 30
OPERATORS = ("=", "<", "<=", ">", ">=", "is null")
JOINS = ("Nested Loop", "Hash Join", "Merge Join")


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        if case.free(node):
            yield from _in_one_table(case, node)
            yield from _across_tables(case, node)


def _in_one_table(case: Case, node: Node) -> Iterator[Finding]:
    scan = wasteful(case, node)
    if scan is None:
        return
    for condition in conditions(node.text("Filter")):
        arms = [_bare(scan.table.bare, arm) for arm in condition.arms]
        if not arms or None in arms:
            continue
        columns = [*dict.fromkeys(arm.column for arm in arms if arm is not None)]
        missing = [name for name in columns if name in scan.table.columns and not scan.table.leading(name)]
        if not missing:
            continue
        case.blame(node)
        names = ", ".join(scan.table.columns[name].sql for name in missing)
        indexed = len(columns) - len(missing)
        yield Finding(
            "or-unindexed",
            scan.table.sql,
            f"All {count(scan.read)} rows of {scan.table.sql} are read to keep {estimated(node)}{count(scan.kept)}: "
            f"of the {len(columns)} columns that {shown(node.text('Filter'))} compares {indexed} have an index.",
            f"Create an index on {names} too: an OR needs one for each of its arms.",
            "; ".join(scan.table.index_on([scan.table.columns[name].sql]) for name in missing),
            evidence={"read": scan.read, "kept": scan.kept, "missing": missing},
        )
        return


def _bare(bare: object, arm: tuple[object, ...]) -> Comparison | None:
    """The arm's one comparison of a bare column."""
    one = getattr(arm[0], "comparison", None) if len(arm) == 1 else None
    fits = one is not None and one.operator in OPERATORS and callable(bare) and bare(one)
    return one if fits else None


def _across_tables(case: Case, node: Node) -> Iterator[Finding]:
    if node.type not in JOINS or not node.ran:
        return
    text = node.text("Join Filter") or node.text("Filter")
    removed = node.removed("Join Filter") + node.removed()
    if removed < MANY or node.given > FEW * removed:
        return
    for condition in conditions(text):
        aliases = {
            one.comparison.alias if one.comparison is not None and not one.comparison.other else ""
            for arm in condition.arms
            for one in arm
        }
        if len(aliases) < 2 or "" in aliases:
            continue
        case.blame(node)
        yield Finding(
            "or-across-tables",
            ", ".join(sorted(aliases)),
            f"{shown(text)} asks one table or the other, so the tables are joined whole: of "
            f"{count(removed + node.given)} joined rows {count(node.given)} are kept.",
            "Write a UNION of two SELECTs, one for each table's condition.",
            evidence={"joined": removed + node.given, "kept": node.given},
        )
        return
