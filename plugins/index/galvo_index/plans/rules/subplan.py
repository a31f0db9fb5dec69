"""A subquery that runs anew for each row."""

from __future__ import annotations

import re
from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.conditions import comparisons
from galvo_index.plans.node import Node
from galvo_index.plans.words import count, shown

ORDER = 35
LOOPS = 100
READS = 1_000_000
"""Rows, of all runs."""
NOT_IN = re.compile(r"\(NOT \((?:ANY \(.*\()?SubPlan \d+\)")
"""Not "hashed SubPlan", which runs once."""


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        if node.role != "SubPlan" or node.parent is None or node.text("Subplan Name").startswith("CTE"):
            continue
        if not node.ran and f"hashed {node.text('Subplan Name')}" in str({**node.parent.raw, "Plans": ()}):
            continue  # it runs once
        if NOT_IN.search(node.parent.text("Filter")) and " not in " in " ".join(case.sql.lower().split()):
            yield from _not_in(case, node, node.parent)
        else:
            yield from _per_row(case, node)


def _not_in(case: Case, node: Node, parent: Node) -> Iterator[Finding]:
    outer = parent.given + parent.removed() if parent.ran else _rows(case, parent)
    each = node.actual if node.ran else node.rows
    if outer < LOOPS or outer * each < READS:
        return
    for below in node:
        case.blame(below)
    case.blame(parent)
    yield Finding(
        "not-in",
        ".".join(name for name in parent.relation if name) or "NOT IN",
        f"NOT IN goes through the {count(each)} rows of its subquery for each of {count(outer)} rows: "
        "they do not fit into a hash table in work_mem.",
        "Write NOT EXISTS, which is a join, and treats NULL as most people expect.",
        evidence={"outer": outer, "inner": each},
    )


def _per_row(case: Case, node: Node) -> Iterator[Finding]:
    for scan in node:
        table = case.facts.of(scan.relation)
        if scan.type != "Seq Scan" or table is None or not case.free(scan) or any(
            above.type == "Materialize" for above in scan.above() if above.role
        ):  # fmt: skip
            continue
        each = (scan.given + scan.removed()) / scan.loops if scan.ran else table.rows
        loops = scan.loops
        if loops < LOOPS or each * loops < READS:
            continue
        case.blame(scan)
        found = [
            one.column
            for one in comparisons(scan.text("Filter"))
            if one.operator == "=" and table.bare(one) and one.column in table.columns and one.other
            and scan.alias not in one.other and not table.leading(one.column)
        ]  # fmt: skip
        yield Finding(
            "subplan-per-row",
            table.sql,
            f"A subquery reads all {count(each)} rows of {table.sql} for each of {count(loops)} rows, "
            f"by {shown(scan.text('Filter')) or 'no condition'}.",
            "Create an index on the column that it compares." if found else "Write it as a join.",
            table.index_on([table.columns[found[0]].sql]) if found else "",
            evidence={"runs": loops, "rows": each, "measured": scan.ran},
        )


def _rows(case: Case, parent: Node) -> float:
    """What the step above tests, estimated."""
    table = case.facts.of(parent.relation)
    return max(parent.rows, table.rows if table is not None else 0)
