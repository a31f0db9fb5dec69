"""An index on the column is there, but the statement compares something made of it."""

from __future__ import annotations

from collections.abc import Iterator

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.conditions import Comparison, comparisons
from galvo_index.plans.facts import Table
from galvo_index.plans.scans import wasteful
from galvo_index.plans.words import count, estimated, shown

ORDER = 20
OPERATORS = ("=", "<", "<=", ">", ">=")
FOLDING = ("lower", "upper")
TEXT = ("text", "character varying", "character", "name")
RULES = {"function": "function-on-column", "cast": "cast-on-column", "expression": "expression-on-column"}


def find(case: Case) -> Iterator[Finding]:
    for node in case.plan:
        scan = wasteful(case, node) if case.free(node) else None
        if scan is None:
            continue
        for one in comparisons(node.text("Filter")):
            index = scan.table.leading(one.column)
            if index is None or one.operator not in OPERATORS or not defeats(scan.table, one):
                continue
            if node.alias in one.other:
                continue  # both sides are of this row: no index could help
            case.blame(node)
            advice, sql = _advice(scan.table, one)
            yield Finding(
                RULES[one.way],
                scan.table.sql,
                f"{index.name} is on {scan.table.columns[one.column].sql}, but {shown(one.side)} is compared, so all "
                f"{count(scan.read)} rows are read to keep {estimated(node)}{count(scan.kept)}.",
                advice,
                sql,
                "warning" if node.ran or case.known_rows is not None else "info",  # the estimate is a constant
                evidence={"index": index.name, "read": scan.read, "kept": scan.kept, "measured": node.ran},
            )
            break


def defeats(table: Table, one: Comparison) -> bool:
    """Whether an index on the bare column cannot serve it."""
    if one.way in ("function", "expression"):
        return True
    if one.way != "cast":
        return False
    column = table.columns[one.column].type
    # text to varchar, a domain to its base type and the like change nothing in the value
    return not (column in TEXT and one.function.split(".")[-1] in ("text", "varchar", "bpchar", "name"))


def _advice(table: Table, one: Comparison) -> tuple[str, str]:
    column = table.columns[one.column].sql
    if one.way == "function" and one.function in FOLDING:
        return f"Create an index on {one.function}({column}).", table.index_on([f"({one.function}({column}))"])
    if one.way == "cast":
        kind = table.columns[one.column].type
        return f"Give the value as {kind}, the type of {column}, and leave the column as it is.", ""
    return f"Compare {column} itself, with a value or a range that is computed from the other side.", ""
