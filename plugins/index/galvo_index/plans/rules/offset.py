"""Pages by OFFSET: everything before the page is read and thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast
from pglast.parser import ParseError

from galvo_index.finding import Finding
from galvo_index.plans.analyse import Case
from galvo_index.plans.words import count
from galvo_sql import parsed

LEAST = 1000


def find(case: Case) -> Iterator[Finding]:
    skipped = _offset(case)
    node = next((node for node in case.plan if node.type == "Limit"), None)
    if node is None or not node.children or skipped < LEAST:
        return
    below = node.children[0]
    if below.ran and below.given < LEAST:
        return  # there were not so many
    about = 10 ** (len(str(int(skipped))) - 1)
    yield Finding(
        "offset",
        "OFFSET",
        f"OFFSET reads more than {count(about)} rows and throws them away, to give {count(node.given)}.",
        "Ask for what comes after the last row of the page before: `where (key) > ($1) order by key limit n`.",
        evidence={"at_least": about},
    )


def _offset(case: Case) -> float:
    """Rows that the outermost OFFSET leaves out; 0: none, or not known."""
    try:
        statement: Any = parsed(case.sql)[0].stmt
    except (ParseError, ValueError, IndexError):
        return 0
    value = getattr(statement, "limitOffset", None)
    while isinstance(value, ast.TypeCast):
        value = value.arg
    if isinstance(value, ast.A_Const) and isinstance(value.val, ast.Integer):
        return float(value.val.ival or 0)
    if isinstance(value, ast.ParamRef) and value.number and value.number <= len(case.args):
        found = case.args[value.number - 1]
        return float(found) if isinstance(found, int) else 0
    return 0
